import type { ApiCall } from '../http/api-call.js';
import { errorText } from '../telemetry/error-text.js';
import type { AnswerWarning } from './answer-warnings.js';
import type { ApiResponse, Download } from './api-response.js';
import { beforeWrite, recordCall } from './call-recorder.js';
import { createCircuitBreaker } from './circuit-breaker.js';
import type { CircuitBreakerState } from './circuit-breaker.js';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';
import { createHttpClient } from './http-client.js';
import type { HttpOptions } from './http-client.js';
import { shareTask } from './lane.js';
import type { SharedTask } from './lane.js';
import type { RateLimiter } from './rate-limiter.js';
import { requestPath } from './request.js';
import type { ApiRequest } from './request.js';
import { createSlotQueue } from './slot-queue.js';
import { createCallRetrier } from './call-retrier.js';
import { redactedBody } from './secrets.js';

/** Makes calls. Both methods reject with {@link SimpleMdmError} unless the status is 2xx; `call` also when the body is not what `expects` says. */
export interface Transport {
  readonly call: (request: ApiRequest) => Promise<ApiResponse>;
  /** Makes a call that returns a file, streamed. */
  readonly download: (request: ApiRequest) => Promise<Download>;
  /** Called for each part of an answer that could not be used. */
  readonly onWarning?: ((warning: AnswerWarning) => void) | undefined;
}

/** How to reach one account. */
export interface TransportOptions extends HttpOptions {
  readonly rateLimiter: RateLimiter;
  /** How long a call waits for the end of an account pause (429) before the call fails; 0 fails immediately. */
  readonly maxPauseWaitMs: number;
  /** How many times a call is retried after an outage, if a retry is safe. */
  readonly retries: number;
  /** Called for each part of an answer that could not be used: a field of another type, a list that does not end. */
  readonly onWarning?: (warning: AnswerWarning) => void;
  /** Called when the circuit breaker of the account opens or closes. */
  readonly onCircuitChange?: (state: CircuitBreakerState) => void;
}

/** How long a 401 pauses the account: the same key will not work a moment later. */
const UNAUTHORIZED_PAUSE_MS = 15_000;

/**
 * The path of a call to the API: identical reads in flight share a response; the circuit breaker stops calls during an outage;
 * safe calls are retried; each attempt waits for a slot of the rate limiter, in the lane of its task. A 401 or 429 pauses the account for everyone who
 * shares the rate limiter.
 */
export function createTransport(options: TransportOptions): Transport {
  const { account, rateLimiter, now, signal, maxPauseWaitMs } = options;
  const client = createHttpClient(options);
  const circuitBreaker = createCircuitBreaker(now, options.onCircuitChange);
  const retry = createCallRetrier(options.retries, maxPauseWaitMs > 0);
  const reads = new Map<string, SharedTask<ApiResponse>>();
  const waitForSlot = createSlotQueue(rateLimiter, { now, maxPauseWaitMs, ...(signal && { signal }) });

  async function attempt<T>(request: ApiRequest, identity: CallIdentity, make: () => Promise<T>): Promise<T> {
    await waitForSlot(identity);
    if (signal?.aborted === true)
      throw new SimpleMdmError({ ...identity, kind: 'stopped', mayHaveTakenEffect: false });
    if (request.method !== 'GET') {
      const body = redactedBody(request);
      await beforeWrite({ ...identity, ...(body && { body }) });
    }
    try {
      return await make();
    } catch (error) {
      if (error instanceof SimpleMdmError) await pauseAfter(error);
      throw error;
    }
  }

  async function pauseAfter({ failure, message }: SimpleMdmError): Promise<void> {
    const { status, retryAt } = failure;
    if (status !== 401 && status !== 429) return;
    const until = status === 401 ? now() + UNAUTHORIZED_PAUSE_MS : (retryAt ?? now());
    await rateLimiter.pause({ until, status, reason: message });
  }

  async function make<T>(
    request: ApiRequest,
    path: string,
    once: (request: ApiRequest, path: string) => Promise<T>,
  ): Promise<T> {
    const identity = { account, method: request.method, path };
    return circuitBreaker(identity, () =>
      retry(request, () => attempt(request, identity, () => once(request, path))),
    );
  }

  /** A 404 after a lost response means that an earlier attempt removed the object. */
  async function removed(path: string, removal: Promise<ApiResponse>): Promise<ApiResponse> {
    try {
      return await removal;
    } catch (error) {
      if (!(error instanceof SimpleMdmError && error.notFound && error.failure.mayHaveTakenEffect))
        throw error;
      return { account, path, status: 204, body: undefined };
    }
  }

  return {
    onWarning: options.onWarning,
    download: async (request) => make(request, requestPath(request), client.download),
    call: async (request) => {
      const path = requestPath(request);
      if (request.method === 'DELETE') return removed(path, make(request, path, client.call));
      if (request.method !== 'GET') return make(request, path, client.call);
      const inFlight = reads.get(path);
      if (inFlight !== undefined)
        return shared(inFlight.join(), { account, method: 'GET', path, route: request.route });
      const read = shareTask(() => make(request, path, client.call).finally(() => reads.delete(path)));
      reads.set(path, read);
      return read.join();
    },
  };
}

/** Shares the response of a read in flight with a second caller, and records the call for that caller too. */
async function shared(
  inFlight: Promise<ApiResponse>,
  identity: Pick<ApiCall, 'account' | 'method' | 'path' | 'route'>,
): Promise<ApiResponse> {
  const call = { ...identity, durationMs: 0, shared: true };
  try {
    const response = await inFlight;
    recordCall({ ...call, status: response.status });
    return response;
  } catch (error) {
    const status = error instanceof SimpleMdmError ? error.failure.status : undefined;
    recordCall({ ...call, ...(status !== undefined && { status }), error: errorText(error) });
    throw error;
  }
}
