import { z } from 'zod';
import { signedHeaders } from '../config/standard-webhooks.js';
import { MAX_DEPTH } from '../events/envelope.js';
import type { ApiCall } from '../http/api-call.js';
import { withExactNumbers } from '../http/exact-numbers.js';
import { InvalidRequestError, NoResponseError, exchange } from '../http/exchange.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { retryTime } from '../http/retry-time.js';
import { beforeWrite, recordCall } from '../simplemdm/call-recorder.js';
import { MAX_ANSWER_CHARACTERS, maskSecrets } from './answer-secrets.js';
import { RetryLaterError, StepError, defineAction } from './action.js';
import { textOrTemplate } from './argument-types.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const TIMEOUT_MS = 30_000;
/** How much of an error response a message quotes. */
const MAX_QUOTED_CHARACTERS = 200;

const url = z.url({ protocol: /^https?$/ });
const EXPECTED_URL = 'expected an http(s) address, such as https://tickets.example.org/api';
const origin = url.refine((text) => URL.canParse(text) && new URL(text).href === `${new URL(text).origin}/`);
const EXPECTED_ORIGIN = 'expected a list of origins, such as [https://tickets.example.org]';
const textByName = z.record(z.string(), z.string('expected a text'), 'expected names and texts');
/** What a template or a variable adds is checked when the request is sent. */
const headerText = z
  .string('expected a text')
  .refine(
    (text) => /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(text.trim()),
    'expected one line of Latin-1 characters',
  );
const fieldName = z.string('expected the name of a field, such as session_id').regex(/\p{L}|\p{N}/u);
const status = z.int('expected a status such as 200').min(100).max(599);

/** Sends a request to a web service. */
export const httpRequest = defineAction({
  about:
    'Sends a request to a web service. Without a response, or with status 408, 425, 429 or 5xx, the step is retried. Any other status than the expected ones (2xx by default) fails the step. Except for GET and HEAD, each attempt sends the same `Idempotency-Key`. With `secret`, the request is signed as in Standard Webhooks. Later steps can use secrets in the response; traces, logs and Redis do not show them: the values of `access_token`, `refresh_token`, `id_token`, `password`, `secret`, `client_secret`, `api_key`, and of the names in `redact`. Values in `url` and `headers` are [encoded](rules.md#values-in-urls-and-headers); a `url` that comes from a response as a whole needs `origins`, the list of where it may lead.',
  example:
    "http_request: { method: POST, url: https://tickets.example.org/api, json: { title: '{{ device.name }}' }, secret: '${env:TICKETS_SECRET}' }",
  args: z
    .strictObject({
      method: z
        .enum(METHODS, {
          error: ({ input }) => {
            const upper = String(input).toUpperCase();
            const isMethod = METHODS.some((method) => method === upper);
            return `expected one of ${METHODS.join(', ')}${isMethod ? `: write ${upper}` : ''}`;
          },
        })
        .default('GET'),
      url: textOrTemplate(url, EXPECTED_URL),
      origins: z
        .array(textOrTemplate(origin, EXPECTED_ORIGIN), EXPECTED_ORIGIN)
        .min(1, EXPECTED_ORIGIN)
        .optional(),
      headers: z.record(z.string(), headerText, 'expected names and texts').default({}),
      json: z.unknown().optional(),
      form: textByName.optional(),
      expect: z
        .union([status.transform((one) => [one]), z.array(status).min(1)], 'expected a status or a list')
        .optional(),
      secret: z.string('expected a text, best as "${env:NAME}"').min(1).optional(),
      redact: z
        .union([fieldName.transform((one) => [one]), z.array(fieldName).max(50)], 'expected names of fields')
        .default([]),
    })
    .refine(({ json, form }) => json === undefined || form === undefined, 'expected json or form, not both')
    .refine(
      ({ method, json, form }) => (method !== 'GET' && method !== 'HEAD') || (json ?? form) === undefined,
      'GET and HEAD have no body: remove json and form, or use another method',
    ),
  outputs: { status_code: 'number', body: 'string', json: 'any' },
  outputForm: { stored: withOneBody, complete: withBothBodies },
  facts: [],
  placeOf: (argument, { origins }) => {
    if (argument === 'headers') return 'header';
    if (argument !== 'url') return 'text';
    return origins === undefined ? 'url' : 'whole_url';
  },
  perform: async (
    { method, url: address, origins, headers, json, form, expect, secret, redact },
    context,
  ) => {
    const { stepKey, event, signal, now } = context;
    const target = parseUrl(address, origins);
    const body =
      json !== undefined
        ? JSON.stringify(json)
        : form === undefined
          ? undefined
          : new URLSearchParams(form).toString();
    const isRead = method === 'GET' || method === 'HEAD';
    // Query and body may hold secrets, so that records have the method and the path only.
    const place = target.origin + target.pathname;
    // A GET may have an effect too, so that every method counts as a write.
    await beforeWrite({ account: event.account, method, path: place });
    const startedAt = performance.now();
    let response: ExchangeResponse;
    try {
      response = await exchange({
        method,
        url: target,
        body,
        timeoutMs: TIMEOUT_MS,
        signal,
        maxCharacters: MAX_ANSWER_CHARACTERS,
        followRedirects: isRead,
        headers: {
          'User-Agent': 'mdm-reflex',
          ...(!isRead && { 'Idempotency-Key': stepKey }),
          ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...headers,
          ...(secret !== undefined && signatureHeaders(secret, stepKey, now(), body ?? '')),
        },
      });
    } catch (error) {
      if (error instanceof InvalidRequestError)
        throw new StepError('step/invalid-argument', error.message, { cause: error });
      if (!(error instanceof NoResponseError)) throw error;
      recordCall({ ...callOf(event.account, method, place, startedAt), error: error.message });
      throw new RetryLaterError('step/no-response', `${method} ${error.message}`);
    }
    recordCall({ ...callOf(event.account, method, place, startedAt), status: response.status });
    const isExpected = expect?.includes(response.status) ?? (response.status >= 200 && response.status < 300);
    if (isExpected) {
      const output = { status_code: response.status, body: response.text, json: parseJson(response.text) };
      return { status: 'completed', output, secretNames: redact };
    }
    const quote = withoutSecrets(response.text, redact)
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, MAX_QUOTED_CHARACTERS);
    const problem = `${method} ${place} returned ${response.status}${quote === '' ? '' : `: ${quote}`}`;
    const isTemporary = response.status >= 500 || [408, 425, 429].includes(response.status);
    if (isTemporary) {
      const notBefore = retryTime(response.status, response.headers, Date.now());
      throw new RetryLaterError('step/unexpected-status', problem, notBefore);
    }
    throw new StepError('step/unexpected-status', `${problem}; expected ${expect?.join(' or ') ?? '2xx'}`);
  },
});

/** Stores the response once: as JSON, unless the text says more than the JSON (`1.0`, a number beyond 2^53, a repeated name). */
function withOneBody(output: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { body, json, ...rest } = output;
  const isJson = typeof json === 'object' && json !== null;
  return isJson && JSON.stringify(json) === withoutSpace(String(body))
    ? { ...rest, json }
    : { ...rest, body };
}

function withBothBodies(stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { body, json } = stored;
  if (typeof body === 'string') return { json: parseJson(body), ...stored };
  return { body: (json ?? null) === null ? '' : JSON.stringify(json), ...stored };
}

/** JSON without white space between its tokens. */
function withoutSpace(text: string): string {
  return text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1');
}

/** A response for a message. */
function withoutSecrets(text: string, names: readonly string[]): string {
  const json = parseJson(text);
  const { value } = maskSecrets(json ?? text, names);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parseUrl(address: string, origins: readonly string[] | undefined): URL {
  // The message does not quote the address, which may be a secret.
  if (!url.safeParse(address).success) throw new StepError('step/invalid-argument', `url: ${EXPECTED_URL}`);
  const target = new URL(address);
  if (origins === undefined) return target;
  if (!origins.some((allowed) => new URL(allowed).origin === target.origin))
    throw new StepError(
      'step/invalid-argument',
      `url: leads to ${target.origin}, which is not among the origins of the step (${origins.join(', ')})`,
    );
  if (target.username !== '' || target.password !== '')
    throw new StepError(
      'step/invalid-argument',
      'url: an address from a value cannot have a user or a password',
    );
  return target;
}

function signatureHeaders(secret: string, id: string, at: Date, body: string): Record<string, string> {
  try {
    return signedHeaders(secret, id, at, body);
  } catch (error) {
    throw new StepError(
      'step/invalid-argument',
      'secret: expected a secret in base64, with or without the prefix "whsec_"',
      { cause: error },
    );
  }
}

function callOf(account: string, method: string, path: string, startedAt: number): ApiCall {
  return { account, method, path, route: path, durationMs: Math.round(performance.now() - startedAt) };
}

/** A response as JSON; null when it is not JSON, or nested so deep that recursive code would overflow the stack. */
function parseJson(text: string): unknown {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return null;
  }
  try {
    // A number that JavaScript would round stays a text: a later step may need the id of a ticket.
    const value: unknown = JSON.parse(withExactNumbers(text));
    return value;
  } catch {
    return null;
  }
}
