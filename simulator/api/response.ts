/** The response to a call, before a fault changes it and before it is sent. */
export interface ApiResponse {
  status: number;
  /** Sent as JSON; absent for an empty response. */
  body?: unknown;
  /** Sent as is, in place of `body`. */
  file?: { content: Buffer; type: string; name: string };
  headers?: Readonly<Record<string, string>>;
}

/** 200 with a body. */
export function ok(body: unknown): ApiResponse {
  return { status: 200, body };
}

/** 201 with the new record. */
export function created(body: unknown): ApiResponse {
  return { status: 201, body };
}

/** 202 without a body: the device carries out the command later. */
export function accepted(): ApiResponse {
  return { status: 202 };
}

/** 204 without a body. */
export function noContent(): ApiResponse {
  return { status: 204 };
}

/** An error in the format of the API (reference: Errors). */
export function failure(
  status: number,
  title: string,
  headers?: Readonly<Record<string, string>>,
): ApiResponse {
  const body = { errors: [{ title }] };
  return headers === undefined ? { status, body } : { status, body, headers };
}

/** 404 in the words of the reference. */
export function notFound(): ApiResponse {
  return failure(404, 'object not found');
}

/** 422: a parameter is invalid. */
export function unprocessable(title: string): ApiResponse {
  return failure(422, title);
}

/** 429 with the end of the wait in epoch seconds, as the real API sends it. */
export function tooManyRequests(until: number): ApiResponse {
  return failure(429, 'too many requests', { 'x-ratelimit-reset': String(Math.ceil(until / 1000)) });
}

/** The response to an assignment or its removal. When nothing changes: 204, or 409 in accounts with `conflicts`. */
export function assignmentResponse(changed: boolean, conflicts: boolean): ApiResponse {
  return changed || !conflicts ? noContent() : failure(409, 'not present or already assigned');
}
