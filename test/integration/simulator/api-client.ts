import { z } from 'zod';

/** The API key of the simulators in tests. */
export const apiKey = 'test-key-7f3a';
export const readOnlyApiKey = 'read-only-key-19c2';

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  body: unknown;
}

/** Calls a path below a base URL with the key of the tests and reads the whole response. */
export async function call(
  base: string,
  path: string,
  init: {
    method?: string;
    body?: string | URLSearchParams | FormData;
    headers?: Record<string, string>;
    key?: string;
  } = {},
): Promise<Reply> {
  const { key = apiKey, headers = {}, ...rest } = init;
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const response = await fetch(`${base}${path}`, { ...rest, headers: { authorization, ...headers } });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

/** A request with a JSON body. */
export function json(method: string, body: unknown) {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

const recordSchema = z.looseObject({
  type: z.string(),
  id: z.union([z.number(), z.string()]),
  attributes: z.record(z.string(), z.unknown()),
  relationships: z.record(z.string(), z.unknown()).optional(),
});

/** The record in a response. */
export function recordOf(reply: Reply) {
  return z.object({ data: recordSchema }).parse(reply.body).data;
}

/** The records of a list. */
export function listOf(reply: Reply) {
  return z.object({ data: z.array(recordSchema), has_more: z.boolean().optional() }).parse(reply.body);
}

/** The ids of a list. */
export function idsOf(reply: Reply) {
  return listOf(reply).data.map(({ id }) => id);
}
