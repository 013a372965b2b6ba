/** A file to upload. A `File` carries its name; `openFile` gives one that is streamed from the disk. */
export type Upload = Blob;

/** A value of a parameter as the API takes it. */
export type Parameter = string | number | boolean;

/** A call as a resource file describes it. What is undefined is not sent. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path as the reference writes it below `/api/v1`, such as `/devices/{DEVICE_ID}`. */
  readonly route: string;
  /** What stands in the place of each `{PLACEHOLDER}`. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, Parameter | undefined>>;
  /** Sent as form fields; a list is sent as `name[]` for each of its members. */
  readonly body?: Readonly<Record<string, Parameter | readonly Parameter[] | undefined>>;
  /** Files; with them the request is `multipart/form-data`, streamed. */
  readonly files?: Readonly<Record<string, Upload | undefined>>;
  /** Sent as JSON, for the few calls that take nothing else. */
  readonly json?: unknown;
  /**
   * Whether a POST or PATCH may be made again when its answer was lost. GET, PUT and DELETE always may.
   * Left out: only when the request certainly did not reach the API.
   */
  readonly idempotent?: boolean;
}

/** The path of a request below `/api/v1`, with its ids and its query. */
export function requestPath({ route, params = {}, query = {} }: ApiRequest): string {
  const path = route.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`no value for ${placeholder} in ${route}`);
    return encodeURIComponent(value);
  });
  const given = fieldsOf(query);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** The body of a request in the form that it travels in, undefined when there is none. */
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
