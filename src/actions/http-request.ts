import { z } from 'zod';
import { signedHeaders } from '../config/standard-webhooks.js';
import { MAX_DEPTH } from '../events/envelope.js';
import { NoResponseError, InvalidRequestError, exchange } from '../http/exchange.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { retryAfterTime } from '../http/retry-after.js';
import { beforeWrite, recordCall } from '../simplemdm/call-recorder.js';
import type { ApiCall } from '../http/api-call.js';
import { StepError, RetryLaterError, defineAction } from './action.js';
import { textOrTemplate } from './text-or-template.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const TIMEOUT_MS = 30_000;
/** More of an answer than this is not kept. */
const MOST_KEPT = 16_384;

const url = z.url({ protocol: /^https?$/ });
const EXPECTED_URL = 'expected an http(s) address';
const namedTexts = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()]).transform(String),
  'expected names and texts',
);
const status = z.int('expected a status such as 200').min(100).max(599);

/** Calls any web service. */
export const httpRequest = defineAction({
  about:
    'Calls a web service. What may pass (no answer, 408, 425, 429, 5xx) is tried again; any other status than the expected ones (2xx) fails the step. Every attempt but a GET carries the same `Idempotency-Key`. With `secret` it is signed after Standard Webhooks.',
  example:
    "http_request: { method: POST, url: https://tickets.example.org/api, json: { title: '{{ device.name }}' }, secret: '${env:TICKETS_SECRET}' }",
  args: z
    .strictObject({
      method: z.enum(METHODS, `expected one of ${METHODS.join(', ')}`).default('GET'),
      url: textOrTemplate(url, EXPECTED_URL),
      headers: namedTexts.default({}),
      json: z.unknown().optional(),
      form: namedTexts.optional(),
      expect: z
        .union([status.transform((one) => [one]), z.array(status).min(1)], 'expected a status or a list')
        .optional(),
      secret: z.string('expected a text, best as "${env:NAME}"').min(1).optional(),
    })
    .refine(({ json, form }) => json === undefined || form === undefined, 'expected json or form, not both')
    .refine(
      ({ method, json, form }) => (method !== 'GET' && method !== 'HEAD') || (json ?? form) === undefined,
      'a GET or HEAD has no body: leave json and form out, or choose another method',
    ),
  outputs: { status_code: 'number', body: 'string', json: 'any' },
  facts: [],
  perform: async ({ method, url: address, headers, json, form, expect, secret }, context) => {
    const { stepKey, event, signal, now } = context;
    const target = parsedUrl(address);
    const body =
      json !== undefined
        ? JSON.stringify(json)
        : form === undefined
          ? undefined
          : new URLSearchParams(form).toString();
    const reads = method === 'GET' || method === 'HEAD';
    const place = target.origin + target.pathname;
    // The address may hold a secret in its query, the body anything: the method and the place say enough. What only reads may also
    // set something off at the other side.
    await beforeWrite({ account: event.account, method, path: place });
    const begun = performance.now();
    let answer: ExchangeResponse;
    try {
      answer = await exchange({
        method,
        url: target,
        body,
        timeoutMs: TIMEOUT_MS,
        signal,
        maxCharacters: MOST_KEPT,
        followRedirects: reads,
        headers: {
          'User-Agent': 'mdm-reflex',
          ...(!reads && { 'Idempotency-Key': stepKey }),
          ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...headers,
          ...(secret !== undefined && signature(secret, stepKey, now(), body ?? '')),
        },
      });
    } catch (error) {
      if (error instanceof InvalidRequestError)
        throw new StepError('step/invalid-argument', error.message, { cause: error });
      if (!(error instanceof NoResponseError)) throw error;
      recordCall({ ...callOf(event.account, method, place, begun), error: error.message });
      throw new RetryLaterError('step/no-response', `${method} ${error.message}`);
    }
    recordCall({ ...callOf(event.account, method, place, begun), status: answer.status });
    const good = expect?.includes(answer.status) ?? (answer.status >= 200 && answer.status < 300);
    if (good) {
      const output = { status_code: answer.status, body: answer.text, json: parsedJson(answer.text) };
      return { status: 'completed', output };
    }
    const said = answer.text.replace(/\s+/g, ' ').trim().slice(0, 200);
    const problem = `${method} ${place} answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
    const passes = answer.status >= 500 || [408, 425, 429].includes(answer.status);
    if (passes)
      throw new RetryLaterError(
        'step/unexpected-status',
        problem,
        retryAfterTime(answer.status, answer.headers, Date.now()),
      );
    throw new StepError('step/unexpected-status', `${problem}; expected ${expect?.join(' or ') ?? 'a 2xx'}`);
  },
});

function parsedUrl(address: string): URL {
  // What is filled in late is checked late; the address itself may be a secret.
  if (!url.safeParse(address).success) throw new StepError('step/invalid-argument', `url: ${EXPECTED_URL}`);
  return new URL(address);
}

function signature(secret: string, id: string, at: Date, body: string): Record<string, string> {
  try {
    return signedHeaders(secret, id, at, body);
  } catch (error) {
    throw new StepError(
      'step/invalid-argument',
      'secret: expected a secret in base64, "whsec_" before it or not',
      {
        cause: error,
      },
    );
  }
}

function callOf(account: string, method: string, path: string, begun: number): ApiCall {
  return { account, method, path, route: path, durationMs: Math.round(performance.now() - begun) };
}

/** An answer as JSON; null when it is none, or nests so deep that whoever goes through it would run out of stack. */
function parsedJson(text: string): unknown {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return null;
  }
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}
