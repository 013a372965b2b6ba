import { errorText } from '../telemetry/error-text.js';
import type { ApiResponse, Download } from './api-response.js';
import { beforeWrite, recordCall } from './call-recorder.js';
import type { ApiCall } from '../http/api-call.js';
import { createCircuitBreaker } from './circuit-breaker.js';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './error-mapping.js';
import { createExchange } from './http.js';
import type { HttpOptions } from './http.js';
import { waitForSlot } from './rate-limiter.js';
import type { RateLimiter } from './rate-limiter.js';
import { createCallRetrier } from './retry.js';
import { requestPath } from './request.js';
import type { ApiRequest } from './request.js';
import { shownBody } from './secrets.js';

/** Makes calls. Both throw {@link SimpleMdmError} for everything but a 2xx answer, `call` also for one that is no JSON. */
export interface Transport {
  readonly call: (request: ApiRequest) => Promise<ApiResponse>;
  /** A call whose answer is a file, streamed. */
  readonly download: (request: ApiRequest) => Promise<Download>;
}

/** How to reach one account. */
export interface TransportOptions extends HttpOptions {
  readonly budget: RateLimiter;
  /** How long a call waits for the end of a pause after a 429 before it fails; 0 fails at once. */
  readonly waitOutPauseMs: number;
  /** How often a call that failed on the way is made again where that is safe. */
  readonly repetitions: number;
  /** Told when the account's calls are held because SimpleMDM does not answer, and when they go on. */
  readonly onCircuit?: (state: 'open' | 'closed') => void;
}

/** After a 401 the account rests this long: asking again at once with the same key cannot help. */
const REST_AFTER_UNAUTHORIZED_MS = 15_000;

/**
 * The way of a call to the API: identical reads in flight are shared; a circuit breaker holds the account's calls while
 * SimpleMDM is down; what may be repeated is repeated; each try waits for its turn in the account's rate budget, and a
 * 401 or 429 pauses the account for everyone who shares the budget.
 */
export function createTransport(options: TransportOptions): Transport {
  const { account, budget, now, signal, waitOutPauseMs } = options;
  const exchange = createExchange(options);
  const circuit = createCircuitBreaker(now, options.onCircuit);
  const repeat = createCallRetrier(options.repetitions, waitOutPauseMs > 0);
  const reads = new Map<string, Promise<ApiResponse>>();

  async function attempt<T>(request: ApiRequest, about: CallIdentity, make: () => Promise<T>): Promise<T> {
    await waitForSlot(budget, about, { now, waitOutPauseMs, ...(signal && { signal }) });
    if (signal?.aborted === true)
      throw new SimpleMdmError({ ...about, kind: 'stopped', mayHaveTakenEffect: false });
    if (request.method !== 'GET') {
      const body = shownBody(request);
      await beforeWrite({ ...about, ...(body && { body }) });
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
    const until = status === 401 ? now() + REST_AFTER_UNAUTHORIZED_MS : (retryAt ?? now());
    await budget.pause({ until, status, reason: message });
  }

  async function make<T>(
    request: ApiRequest,
    path: string,
    once: (request: ApiRequest, path: string) => Promise<T>,
  ): Promise<T> {
    const about = { account, method: request.method, path };
    return circuit(about, () => repeat(request, () => attempt(request, about, () => once(request, path))));
  }

  /** A removal whose answer was lost and that then found nothing has been done. */
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
    download: async (request) => make(request, requestPath(request), exchange.download),
    call: async (request) => {
      const path = requestPath(request);
      if (request.method === 'DELETE') return removed(path, make(request, path, exchange.call));
      if (request.method !== 'GET') return make(request, path, exchange.call);
      const inFlight = reads.get(path);
      if (inFlight !== undefined)
        return shared(inFlight, { account, method: 'GET', path, route: request.route });
      const read = make(request, path, exchange.call).finally(() => reads.delete(path));
      reads.set(path, read);
      return read;
    },
  };
}

/** Lets a second caller have the answer of a read that is in flight; it is on that caller's record as well. */
async function shared(
  inFlight: Promise<ApiResponse>,
  about: Pick<ApiCall, 'account' | 'method' | 'path' | 'route'>,
): Promise<ApiResponse> {
  const note = { ...about, durationMs: 0, shared: true };
  try {
    const answer = await inFlight;
    recordCall({ ...note, status: answer.status });
    return answer;
  } catch (error) {
    const status = error instanceof SimpleMdmError ? error.failure.status : undefined;
    recordCall({ ...note, ...(status !== undefined && { status }), error: errorText(error) });
    throw error;
  }
}
