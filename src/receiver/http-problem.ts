import type { Response } from 'express';
import { ERRORS } from '../errors/registry.js';
import type { ErrorCode } from '../errors/registry.js';
import { requestIdOf } from './response-headers.js';

/** An error response (RFC 9457, Problem Details for HTTP APIs). */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterS: number | undefined;

  /**
   * @param detail - What is wrong with this request, where, and what to do.
   * @param retryAfterS - Sent as `Retry-After`, in seconds.
   */
  constructor(status: number, code: ErrorCode, detail: string, retryAfterS?: number) {
    super(`${code}: ${detail}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }
}

/** A 503 that asks the client to repeat the request. */
export function serviceUnavailable(code: ErrorCode, detail: string): HttpProblem {
  return new HttpProblem(503, code, detail, 5);
}

/** The code of the problem that was sent as a response, for the log line of the request. */
const sentCodes = new WeakMap<Response, ErrorCode>();

/** The code of the problem that a response reported; undefined for other responses. */
export function sentProblemCode(response: Response): ErrorCode | undefined {
  return sentCodes.get(response);
}

/**
 * Sends a problem as `application/problem+json`.
 *
 * @param members - Extension members (RFC 9457, section 3.2).
 */
export function sendProblem(
  response: Response,
  { status, code, detail, retryAfterS }: HttpProblem,
  members: Readonly<Record<string, unknown>> = {},
): void {
  sentCodes.set(response, code);
  if (retryAfterS !== undefined) response.setHeader('Retry-After', String(retryAfterS));
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        ...members,
        type: `urn:mdm-reflex:error:${code}`,
        code,
        title: ERRORS[code].meaning,
        status,
        detail,
        requestId: requestIdOf(response),
      }),
    );
}
