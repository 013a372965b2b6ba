import { errorText } from '../telemetry/error-text.js';
import { beforeWrite, noteCall } from './call-log.js';
import type { ApiCall } from './call-log.js';
import { callSignal } from './call-signal.js';
import { SimpleMdmError } from './errors.js';
import { parseJson, refused, unanswered } from './failed-call.js';

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
    if (options.signal?.aborted === true)
      throw new SimpleMdmError({ ...about, kind: 'stopped', mayHaveTakenEffect: false });
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
    const limits = callSignal(options.timeoutMs, options.signal);
    let status: number | undefined;
    try {
      const response = await fetch(baseUrl + path, {
        method,
        headers: { authorization, accept: 'application/json' },
        redirect: 'manual',
        signal: limits.signal,
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
        error instanceof SimpleMdmError ? error : unanswered(about, error, limits.reason(), method);
      ended({ ...(status !== undefined && { status }), error: failure.message });
      pauseAfter(failure);
      throw failure;
    } finally {
      limits.done();
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
    if (request.method !== 'GET') {
      await beforeWrite();
      return call(request, path);
    }
    const inFlight = reads.get(path);
    if (inFlight !== undefined)
      return shared(inFlight, { account, method: 'GET', path, route: request.route });
    const read = call(request, path).finally(() => reads.delete(path));
    reads.set(path, read);
    return read;
  };
}

/** Lets a second caller have the answer of a read that is in flight; it is on that caller's record as well. */
async function shared(
  inFlight: Promise<ApiAnswer>,
  about: Pick<ApiCall, 'account' | 'method' | 'path' | 'route'>,
): Promise<ApiAnswer> {
  const note = { ...about, durationMs: 0, shared: true };
  try {
    const answer = await inFlight;
    noteCall({ ...note, status: answer.status });
    return answer;
  } catch (error) {
    const status = error instanceof SimpleMdmError ? error.failure.status : undefined;
    noteCall({ ...note, ...(status !== undefined && { status }), error: errorText(error) });
    throw error;
  }
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
