import { z } from 'zod';
import { signedHeaders } from '../config/standard-webhooks.js';
import { beforeWrite } from '../simplemdm/call-log.js';
import { callSignal } from '../http/call-signal.js';
import { retryTime } from '../http/retry-time.js';
import { fetchErrorText } from '../telemetry/error-text.js';
import { StepError, TryLaterError, defineAction } from './action.js';
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
    if (!reads) {
      // The address may hold a secret in its query, the body anything: the method and the place say enough.
      await beforeWrite({ account: event.account, method, path: target.origin + target.pathname });
    }
    const limits = callSignal(TIMEOUT_MS, signal);
    let answer: { status: number; text: string; headers: Headers };
    try {
      const response = await fetch(target, {
        method,
        redirect: reads ? 'follow' : 'manual',
        signal: limits.signal,
        ...(body !== undefined && { body }),
        headers: {
          'User-Agent': 'mdm-reflex',
          ...(!reads && { 'Idempotency-Key': stepKey }),
          ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...headers,
          ...(secret !== undefined && signature(secret, stepKey, now(), body ?? '')),
        },
      });
      answer = { status: response.status, headers: response.headers, text: await textOf(response) };
    } catch (error) {
      const why =
        limits.reason() === 'timeout'
          ? `no answer within ${TIMEOUT_MS / 1000} seconds`
          : fetchErrorText(error);
      throw new TryLaterError(`${method} ${target.host}: ${why}`);
    } finally {
      limits.done();
    }
    const good = expect?.includes(answer.status) ?? (answer.status >= 200 && answer.status < 300);
    if (good) {
      const output = { status_code: answer.status, body: answer.text, json: parsedJson(answer.text) };
      return { status: 'completed', output };
    }
    const said = answer.text.replace(/\s+/g, ' ').trim().slice(0, 200);
    const problem = `${method} ${target.host} answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
    const passes = answer.status >= 500 || [408, 425, 429].includes(answer.status);
    if (passes) throw new TryLaterError(problem, retryTime(answer.status, answer.headers, Date.now()));
    throw new StepError(`${problem}; expected ${expect?.join(' or ') ?? 'a 2xx'}`);
  },
});

function parsedUrl(address: string): URL {
  // What is filled in late is checked late; the address itself may be a secret.
  if (!url.safeParse(address).success) throw new StepError(`url: ${EXPECTED_URL}`);
  return new URL(address);
}

function signature(secret: string, id: string, at: Date, body: string): Record<string, string> {
  try {
    return signedHeaders(secret, id, at, body);
  } catch (error) {
    throw new StepError('secret: expected a secret in base64, "whsec_" before it or not', { cause: error });
  }
}

/** The beginning of an answer; an endless one must not fill the memory. */
async function textOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  const chunks: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= MOST_KEPT) break;
  }
  return text.slice(0, MOST_KEPT);
}

function parsedJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}
