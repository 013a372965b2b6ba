/** What a call is answered with, before any fault spoils it and before it is written to the wire. */
export interface Answer {
  status: number;
  /** Sent as JSON; absent for an empty answer. */
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  file?: { content: Buffer; type: string; name: string };
  headers?: Readonly<Record<string, string>>;
}

/** 200 with a body. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** 201 with the record that was made. */
export function created(body: unknown): Answer {
  return { status: 201, body };
}

/** 202 without a body: the device is told, and does it later. */
export function accepted(): Answer {
  return { status: 202 };
}

/** 204 without a body. */
export function noContent(): Answer {
  return { status: 204 };
}

/** An error in the API's form (reference: Errors). */
export function failure(status: number, title: string, headers?: Readonly<Record<string, string>>): Answer {
  const body = { errors: [{ title }] };
  return headers === undefined ? { status, body } : { status, body, headers };
}

/** 404 in the reference's own words. */
export function notFound(): Answer {
  return failure(404, 'object not found');
}

/** 422: the call was understood, its parameters are not acceptable. */
export function unprocessable(title: string): Answer {
  return failure(422, title);
}

/** 429 until a time, as the real API says it: epoch seconds. */
export function tooOften(until: number): Answer {
  return failure(429, 'too many requests', { 'x-ratelimit-reset': String(Math.ceil(until / 1000)) });
}

/**
 * What puts two things together or takes them apart is answered with, when there was something to do and when not: 204 either
 * way, or 409 in the accounts that answer so.
 */
export function assigned(changed: boolean, conflicts: boolean): Answer {
  return changed || !conflicts ? noContent() : failure(409, 'not present or already assigned');
}
