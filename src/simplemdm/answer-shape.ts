import { z } from 'zod';

/** What the reference documents as the body of a successful call. */
export type ExpectedBody =
  /** `{"data": {…}}`. */
  | 'record'
  /** `{"data": […]}`. */
  | 'list'
  /** `{"data": …}`. */
  | 'data';

const apiErrors = z.object({ errors: z.array(z.unknown()) });
const titled = z.object({ title: z.string() });

/** The titles of the API's error body, `{"errors": [{"title": …}]}` (API reference, Errors); none for any other body. */
export function titlesIn(text: string): string[] {
  return titlesOf(jsonOf(text));
}

function titlesOf(body: unknown): string[] {
  const parsed = apiErrors.safeParse(body);
  if (!parsed.success) return [];
  // Gateways have error lists too, with other members.
  return parsed.data.errors.flatMap((error) => titled.safeParse(error).data?.title ?? []);
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Refusals that proxies do not send: with them, any error body in JSON will do. */
const REFUSALS = new Set([400, 409, 422]);
const errorInJson = z.union([z.looseObject({ errors: z.unknown() }), z.looseObject({ error: z.unknown() })]);

/** Statuses that SimpleMDM may return without a body: the answer then has a JSON content type all the same. */
const MAY_BE_EMPTY = new Set([400, 403, 409, 422]);

/**
 * Whether an answer with an error status comes from SimpleMDM and not from a proxy, a gateway or a portal in between. A 404 counts
 * only with the API's error body: whoever takes a proxy's page for "no such device" acts on a device that is there.
 */
export function isErrorOfApi(status: number, contentType: string, text: string): boolean {
  // Their meaning is the same whoever sends them: wait.
  if (status === 429 || status >= 500) return true;
  if (status < 400) return false;
  if (titlesIn(text).length > 0) return true;
  if (REFUSALS.has(status) && errorInJson.safeParse(jsonOf(text)).success) return true;
  // The body of a 401 is not documented.
  if (status === 401) return !isMarkup(contentType, text);
  if (status === 403 && /api key/i.test(text)) return !isMarkup(contentType, text);
  return MAY_BE_EMPTY.has(status) && text.trim() === '' && contentType.includes('json');
}

/** Whether a body is a page or another document in tags. JSON with the content type of a page is JSON. */
export function isMarkup(contentType: string, text: string): boolean {
  const start = text.trimStart();
  return start.startsWith('<') || (isHtml(contentType) && !start.startsWith('{'));
}

/** Whether a content type is that of a web page. */
export function isHtml(contentType: string): boolean {
  return /\bhtml\b/i.test(contentType);
}

/**
 * What is wrong with the body of a successful call; undefined when the body is what the reference documents. Without an expectation
 * (commands), any JSON object will do: what SimpleMDM answers to some of them is not documented.
 */
export function shapeProblem(body: unknown, expected: ExpectedBody | undefined): string | undefined {
  if (body === undefined) return expected === undefined ? undefined : 'an empty body';
  if (!isObject(body)) return `JSON that is not the API's: ${jsonWord(body)}`;
  if (expected === undefined) return titlesOf(body).length > 0 ? "the API's error body" : undefined;
  if (!('data' in body)) return 'JSON without "data"';
  const { data } = body;
  if (expected === 'record' && !isObject(data)) return `JSON whose "data" is ${jsonWord(data)}`;
  if (expected === 'list' && !Array.isArray(data)) return `JSON whose "data" is ${jsonWord(data)}`;
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type of a JSON value in words: what warnings may say about a value that they must not show. */
export function jsonWord(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value === 'number') return 'a number';
  return value === '' ? 'empty text' : 'text';
}
