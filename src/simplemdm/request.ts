import type { ExpectedBody } from './answer-shape.js';

/** A file to upload. A `File` carries its name; `openFile` streams one from disk. */
export type Upload = Blob;

/** The value of a parameter. */
export type Parameter = string | number | boolean;

/** A call as a resource file describes it. Undefined members are not sent. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path below `/api/v1` as the reference writes it, such as `/devices/{DEVICE_ID}`. */
  readonly route: string;
  /** The value of each `{PLACEHOLDER}`. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, Parameter | undefined>>;
  /** Sent as form fields. A list is sent as one `name[]` field per member. */
  readonly body?: Readonly<Record<string, Parameter | readonly Parameter[] | undefined>>;
  /** Files. The request then is `multipart/form-data`, streamed. */
  readonly files?: Readonly<Record<string, Upload | undefined>>;
  /** Sent as JSON, for the few calls that require JSON. */
  readonly json?: unknown;
  /**
   * Whether a POST or PATCH may be retried after a lost response. GET, PUT and DELETE always may.
   * By default, a POST or PATCH is retried only when the request did not reach the API.
   */
  readonly idempotent?: boolean;
  /** The body of a successful answer; undefined for a call that returns no record. Another body did not come from SimpleMDM. */
  readonly expects?: ExpectedBody;
}

/** The path of a request below `/api/v1`, with ids and query. */
export function requestPath({ route, params = {}, query = {} }: ApiRequest): string {
  const path = route.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`no value for ${placeholder} in ${route}`);
    // No encoding keeps ".." from leading one folder up, and an empty name asks for the whole list.
    if (typeof value === 'string' && /^\.{0,2}$/.test(value))
      throw new Error(`"${value}" is not a value for ${placeholder} in ${route}`);
    return encodeURIComponent(value);
  });
  const parameters = fieldsOf(query);
  return parameters.length === 0 ? path : `${path}?${new URLSearchParams(parameters).toString()}`;
}

/** The body of a request as `fetch` takes it; undefined without a body. */
export function requestBody({
  body,
  files,
  json,
}: ApiRequest): URLSearchParams | FormData | Blob | undefined {
  if (json !== undefined) return new Blob([JSON.stringify(json)], { type: 'application/json' });
  const fields = fieldsOf(body ?? {});
  if (files !== undefined) return multipart(fields, files);
  return body === undefined ? undefined : new URLSearchParams(fields);
}

function multipart(fields: readonly [string, string][], files: NonNullable<ApiRequest['files']>): FormData {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  for (const [name, file] of Object.entries(files)) if (file !== undefined) form.append(name, file);
  return form;
}

function fieldsOf(
  values: Readonly<Record<string, Parameter | readonly Parameter[] | undefined>>,
): [string, string][] {
  return Object.entries(values).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value !== 'object') return [[name, String(value)]];
    return value.map((member): [string, string] => [`${name}[]`, String(member)]);
  });
}
