import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { SimpleMdmError } from './errors.js';
import type { ApiRequest } from './request.js';

/** How long to wait before the first and at most before any repetition. */
const MIN_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 2000;

/** Makes a call, again if it failed in a way that allows it. */
export type CallRetrier = <T>(request: ApiRequest, attempt: () => Promise<T>) => Promise<T>;

/**
 * Repeats calls that failed on the way (no connection, no answer, 5xx): reads, PUT, DELETE and what a resource file calls
 * idempotent. Anything else is repeated only when the request certainly did not reach the API.
 *
 * @param after429 - Whether to repeat after a 429 as well, when the pause is over.
 */
export function createCallRetrier(repetitions: number, after429: boolean): CallRetrier {
  const backoff = new ExponentialBackoff({ initialDelay: MIN_BACKOFF_MS, maxDelay: MAX_BACKOFF_MS });
  const policy = (mayRepeat: (error: SimpleMdmError) => boolean) =>
    retry(
      handleWhen((error) => error instanceof SimpleMdmError && mayRepeat(error)),
      { maxAttempts: repetitions, backoff },
    );
  const limited = ({ failure }: SimpleMdmError): boolean => after429 && failure.status === 429;
  const harmless = policy((error) => limited(error) || failedOnTheWay(error));
  const harmful = policy(
    (error) => limited(error) || (failedOnTheWay(error) && !error.failure.mayHaveTakenEffect),
  );

  return async (request, attempt) => {
    let mayHaveTakenEffect = false;
    try {
      return await (isHarmless(request) ? harmless : harmful).execute(async () => {
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof SimpleMdmError) mayHaveTakenEffect ||= error.failure.mayHaveTakenEffect;
          throw error;
        }
      });
    } catch (error) {
      // An earlier try may have done what the last one did not even reach.
      if (!(error instanceof SimpleMdmError) || error.failure.mayHaveTakenEffect === mayHaveTakenEffect)
        throw error;
      throw new SimpleMdmError({ ...error.failure, mayHaveTakenEffect }, { cause: error });
    }
  };
}

function isHarmless({ method, idempotent }: ApiRequest): boolean {
  return method === 'GET' || method === 'PUT' || method === 'DELETE' || idempotent === true;
}

/** No answer, or a server that broke down; not when the server said when to come back. */
function failedOnTheWay({ failure: { kind, status, retryAt } }: SimpleMdmError): boolean {
  if (retryAt !== undefined) return false;
  return kind === 'network' || kind === 'timeout' || (kind === 'response' && (status ?? 0) >= 500);
}
