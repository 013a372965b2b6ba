import { resolveEnvReferences } from '../config/env-reference.js';
import { NoResponseError, InvalidRequestError, exchange } from '../http/exchange.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { retryTime } from '../http/retry-time.js';
import type { LookupData, LookupSource } from '../rules/model/lookup.js';
import { errorText } from '../telemetry/error-text.js';
import { parseResponse, UnusableResponseError } from './parse-response.js';
import type { LookupContext, LookupRows } from './lookup-rows.js';

/** The rows of a web service are not available, and there are no earlier ones. A retry may succeed. */
export class LookupUnavailableError extends Error {
  override readonly name = 'LookupUnavailableError';
  readonly code = 'lookup/unavailable' as const;
  /** The next request, in epoch milliseconds. */
  readonly notBefore: number;

  constructor(message: string, notBefore: number) {
    super(message);
    this.notBefore = notBefore;
  }
}

/** A lookup over HTTP. */
export interface HttpLookup {
  /** @throws LookupUnavailableError without any rows. */
  readonly rows: () => Promise<LookupRows>;
}

const TIMEOUT_MS = 15_000;
/** About 100,000 rows. */
const MAX_CHARACTERS = 30_000_000;
const MIN_RETRY_MS = 2000;
const MAX_RETRY_MS = 600_000;

/** What was last received. */
interface Received {
  readonly data: LookupData;
  readonly warnings: readonly string[];
  readonly at: number;
  readonly etag: string | null;
}

/**
 * Creates a lookup over HTTP. Requests the rows when a rule reads them and they are older than `refresh`; simultaneous readers share
 * one request. When the service does not return rows, the last ones are used with a warning, and the next request waits longer each time.
 *
 * @param now - Epoch milliseconds.
 */
export function createHttpLookup(
  { name, settings }: Extract<LookupSource, { kind: 'http' }>,
  { env, logger, metrics, signal }: LookupContext,
  now: () => number = Date.now,
): HttpLookup {
  let received: Received | undefined;
  let failure: { readonly reason: string; readonly nextAt: number; readonly count: number } | undefined;
  let pending: Promise<void> | undefined;

  const request = async (): Promise<void> => {
    try {
      const response = await send();
      const isUnchanged = response.status === 304 && received !== undefined;
      if (isUnchanged && received !== undefined) received = { ...received, at: now() };
      else {
        const { data, warnings } = parseResponse(response, settings, MAX_CHARACTERS);
        if (warnings.length > 0)
          logger.warn({ code: 'lookup/odd-rows', lookup: name, warnings }, 'rows of a lookup were not used');
        received = { data, warnings, at: now(), etag: response.headers.get('etag') };
      }
      if (failure !== undefined) logger.info({ lookup: name }, 'the lookup is available again');
      failure = undefined;
      metrics?.lookupRefreshes.inc({ lookup: name, outcome: isUnchanged ? 'unchanged' : 'updated' });
    } catch (error) {
      if (!isExpected(error)) throw error;
      const count = (failure?.count ?? 0) + 1;
      const backoff = Math.min(MIN_RETRY_MS * 2 ** (count - 1), MAX_RETRY_MS);
      const notBefore = error instanceof UnusableResponseError ? (error.notBefore ?? 0) : 0;
      const nextAt = Math.max(now() + backoff, notBefore);
      const reason = errorText(error);
      failure = { reason, nextAt, count };
      metrics?.lookupRefreshes.inc({ lookup: name, outcome: 'failed' });
      logger.warn(
        {
          code: 'lookup/unavailable',
          lookup: name,
          reason,
          nextAttemptAt: new Date(nextAt).toISOString(),
          ...(received !== undefined && { rowsFrom: new Date(received.at).toISOString() }),
        },
        received === undefined
          ? 'a lookup is unavailable: rules that read it wait'
          : 'a lookup is unavailable: its last rows are used',
      );
    }
  };
  const send = async (): Promise<ExchangeResponse> => {
    const etag = received?.etag;
    const url = resolvedUrl(settings.url, env);
    const headers = Object.fromEntries(
      Object.entries(settings.headers).map(([header, value]) => [header, resolved(value, env)]),
    );
    const response = await exchange({
      method: 'GET',
      url,
      headers: {
        Accept: 'application/json',
        'User-Agent': 'mdm-reflex',
        ...(typeof etag === 'string' && { 'If-None-Match': etag }),
        ...headers,
      },
      timeoutMs: TIMEOUT_MS,
      signal,
      maxCharacters: MAX_CHARACTERS,
      followRedirects: true,
    });
    const { status } = response;
    if ((status === 304 && received !== undefined) || (status >= 200 && status < 300)) return response;
    const message = `${url.host} returned ${status}`;
    throw new UnusableResponseError(message, retryTime(status, response.headers, now()));
  };

  return {
    rows: async () => {
      const isFresh = received !== undefined && now() - received.at < settings.refreshMs;
      const mayAsk = failure === undefined || now() >= failure.nextAt;
      if (!isFresh && mayAsk) {
        pending ??= request().finally(() => (pending = undefined));
      }
      if (!isFresh && pending !== undefined) await pending;
      if (received === undefined) {
        const { reason = 'no answer yet', nextAt = now() } = failure ?? {};
        throw new LookupUnavailableError(`lookup.${name}: ${reason}`, nextAt);
      }
      const { data, warnings, at } = received;
      const old =
        failure === undefined
          ? []
          : [
              `the rows are from ${new Date(at).toISOString()}: the service is unavailable: ${failure.reason}`,
            ];
      return { data, warnings: [...warnings, ...old] };
    },
  };
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof NoResponseError ||
    error instanceof InvalidRequestError ||
    error instanceof UnusableResponseError
  );
}

function resolved(text: string, env: NodeJS.ProcessEnv): string {
  try {
    return resolveEnvReferences(text, env);
  } catch (error) {
    throw new UnusableResponseError(errorText(error), undefined, { cause: error });
  }
}

/** The message does not quote the address, which may hold a secret. */
function resolvedUrl(text: string, env: NodeJS.ProcessEnv): URL {
  const address = resolved(text, env);
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new UnusableResponseError('url: expected an http(s) address');
  return new URL(address);
}
