/** What a call is answered with, before any fault spoils it and before it is written to the wire. */
export interface Answer {
  status: number;
  /** Sent as JSON; absent for an empty answer. */
  body?: unknown;
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
