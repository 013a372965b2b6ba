import type { Response } from 'express';

/** An error answer after RFC 9457 (Problem Details for HTTP APIs). */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterS: number | undefined;

  /**
   * @param detail - What was wrong, where, and what to do next.
   * @param retryAfterS - Sent as `Retry-After`, in seconds.
   */
  constructor(status: number, title: string, detail: string, retryAfterS?: number) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }
}

/** The service cannot take anything now; the sender should come back. */
export function unavailable(detail: string): HttpProblem {
  return new HttpProblem(503, 'Service unavailable', detail, 5);
}

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(response: Response, { status, title, detail, retryAfterS }: HttpProblem): void {
  if (retryAfterS !== undefined) response.setHeader('Retry-After', String(retryAfterS));
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title,
        status,
        detail,
        requestId: response.getHeader('X-Request-Id'),
      }),
    );
}
