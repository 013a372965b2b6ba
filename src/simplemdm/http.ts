import { isNativeError } from 'node:util/types';
import { z } from 'zod';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { noteCall } from './call-log.js';
import type { ApiCall } from './call-log.js';
import { SimpleMdmError } from './errors.js';
import type { Failure } from './errors.js';
import { retryTime } from './retry-time.js';
import { withoutSecrets } from './secrets.js';

/** A call as a resource file describes it. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path as the reference writes it below `/api/v1`, such as `/devices/{DEVICE_ID}`. */
  readonly route: string;
  /** What stands in the place of each `{PLACEHOLDER}`. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as form fields. */
  readonly body?: Readonly<Record<string, string | number | boolean>>;
}

/** An answer with a 2xx status; the body is undefined when it is empty. */
export interface ApiAnswer {
  readonly account: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

/** Makes a call. Throws {@link SimpleMdmError} for everything but a 2xx answer with readable JSON. */
export type Transport = (request: ApiRequest) => Promise<ApiAnswer>;

/** How to reach one account. */
export interface TransportOptions {
  readonly account: string;
  readonly apiKey: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
  /** Aborted when the process stops: calls in flight are broken off. */
  readonly signal?: AbortSignal;
  /** Told of every call that was really made. */
  readonly onCall?: (call: ApiCall) => void;
  readonly now?: () => number;
}

/** After a 401 the account rests this long: asking again at once with the same key cannot help. */
const REST_AFTER_UNAUTHORIZED_MS = 15_000;

/**
 * The HTTP side of the client: Basic authentication with the key as user name (API reference, Authentication), timeouts,
 * error bodies, secrets removed, identical reads in flight shared, and the account paused after 401 and 429. Connections are
 * kept alive by Node's fetch.
 */
export function createTransport(options: TransportOptions): Transport {
  const { account, baseUrl, now = Date.now } = options;
  const authorization = `Basic ${Buffer.from(`${options.apiKey}:`).toString('base64')}`;
  const reads = new Map<string, Promise<ApiAnswer>>();
  let pausedUntil = 0;
  let pauseReason = '';

  async function call(request: ApiRequest, path: string): Promise<ApiAnswer> {
    const { method, route, body } = request;
    const about = { account, method, path };
    if (now() < pausedUntil) {
      throw new SimpleMdmError({
        ...about,
        kind: 'paused',
        detail: pauseReason,
        mayHaveTakenEffect: false,
        retryAt: pausedUntil,
      });
    }
    const startedAt = performance.now();
    const ended = (outcome: { status?: number; error?: string }): void => {
      const made: ApiCall = {
        ...about,
        route,
        ...(body && { body }),
        ...outcome,
        durationMs: Math.round(performance.now() - startedAt),
      };
      noteCall(made);
      options.onCall?.(made);
    };
    const timeout = AbortSignal.timeout(options.timeoutMs);
    let status: number | undefined;
    try {
      const response = await fetch(baseUrl + path, {
        method,
        headers: { authorization, accept: 'application/json' },
        redirect: 'manual',
        signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
        ...(body && { body: formFields(body) }),
      });
      status = response.status;
      const text = await response.text();
      if (!response.ok) throw refused(about, response, text, now());
      const answer: ApiAnswer = {
        account,
        path,
        status,
        body: text === '' ? undefined : parseJson(text, about, method),
      };
      ended({ status });
      return answer;
    } catch (error) {
      const failure =
        error instanceof SimpleMdmError
          ? error
          : unanswered(about, error, { timeout, stopped: options.signal }, method);
      ended({ ...(status !== undefined && { status }), error: failure.message });
      pauseAfter(failure);
      throw failure;
    }
  }

  function pauseAfter({ failure, message }: SimpleMdmError): void {
    const until =
      failure.status === 401
        ? now() + REST_AFTER_UNAUTHORIZED_MS
        : failure.status === 429
          ? (failure.retryAt ?? 0)
          : 0;
    if (until <= pausedUntil) return;
    pausedUntil = until;
    pauseReason = message;
  }

  return async (request) => {
    const path = pathOf(request);
    if (request.method !== 'GET') return call(request, path);
    const inFlight = reads.get(path);
    if (inFlight !== undefined) {
      const answer = await inFlight;
      noteCall({
        account,
        method: 'GET',
        path,
        route: request.route,
        status: answer.status,
        durationMs: 0,
        shared: true,
      });
      return answer;
    }
    const read = call(request, path).finally(() => reads.delete(path));
    reads.set(path, read);
    return read;
  };
}

function pathOf({ route, params = {}, query = {} }: ApiRequest): string {
  const path = route.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`no value for ${placeholder} in ${route}`);
    return encodeURIComponent(value);
  });
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

function formFields(body: Readonly<Record<string, string | number | boolean>>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]),
  );
}

type CallIdentity = Pick<Failure, 'account' | 'method' | 'path'>;

function parseJson(text: string, about: CallIdentity, method: string): unknown {
  try {
    const body: unknown = JSON.parse(text, withoutSecrets);
    return body;
  } catch (cause) {
    throw new SimpleMdmError(
      { ...about, kind: 'malformed', detail: 'the body is not JSON', mayHaveTakenEffect: method !== 'GET' },
      { cause },
    );
  }
}

const errorBody = z.object({ errors: z.array(z.object({ title: z.string() })) });

function refused(about: CallIdentity, response: Response, text: string, now: number): SimpleMdmError {
  const { status } = response;
  const retryAt = retryTime(status, response.headers, now);
  return new SimpleMdmError({
    ...about,
    kind: 'answer',
    status,
    titles: titlesIn(text),
    // A gateway answers 502 or 504 for a server that may well have done the work.
    mayHaveTakenEffect: status >= 500 && about.method !== 'GET',
    ...(retryAt !== undefined && { retryAt }),
  });
}

function titlesIn(text: string): string[] {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.errors.map((error) => error.title) : [];
  } catch {
    // Gateways answer HTML; the status alone must do then.
    return [];
  }
}

/** Failures before the request was on its way: it certainly had no effect. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function unanswered(
  about: CallIdentity,
  error: unknown,
  signals: { timeout: AbortSignal; stopped: AbortSignal | undefined },
  method: string,
): SimpleMdmError {
  // fetch wraps what really happened.
  const cause = isNativeError(error) && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause);
  const mayHaveTakenEffect = method !== 'GET' && (code === undefined || !NEVER_SENT.has(code));
  const kind = signals.stopped?.aborted ? 'stopped' : signals.timeout.aborted ? 'timeout' : 'network';
  const detail =
    kind === 'timeout' ? 'the time limit API_TIMEOUT_MS ran out' : describeCause(code, errorText(cause));
  return new SimpleMdmError({ ...about, kind, detail, mayHaveTakenEffect }, { cause: error });
}

function describeCause(code: string | undefined, message: string): string {
  return code === undefined || message.includes(code) ? message : `${code} ${message}`.trim();
}
