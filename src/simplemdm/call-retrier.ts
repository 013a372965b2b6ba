import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { SimpleMdmError } from './errors.js';
import type { ApiRequest } from './request.js';

/** The wait before the first retry, and the longest wait before any retry. */
const MIN_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 2000;

/** Makes a call and retries it if the failure allows that. */
export type CallRetrier = <T>(request: ApiRequest, attempt: () => Promise<T>) => Promise<T>;

/**
 * Retries calls after an outage (no connection, no response, 5xx). Reads, PUT, DELETE and requests marked `idempotent` are
 * always retried; other requests only when they did not reach the API.
 *
 * @param retries - How many retries a call has.
 * @param retryRateLimited - Whether a 429 is retried too, after the account pause.
 */
export function createCallRetrier(retries: number, retryRateLimited: boolean): CallRetrier {
  const backoff = new ExponentialBackoff({ initialDelay: MIN_BACKOFF_MS, maxDelay: MAX_BACKOFF_MS });
  const policy = (shouldRetry: (error: SimpleMdmError) => boolean) =>
    retry(
      handleWhen((error) => error instanceof SimpleMdmError && shouldRetry(error)),
      { maxAttempts: retries, backoff },
    );
  const isRetryableLimit = ({ failure }: SimpleMdmError): boolean =>
    retryRateLimited && failure.status === 429;
  const idempotentPolicy = policy((error) => isRetryableLimit(error) || isRetryableOutage(error));
  const otherPolicy = policy(
    (error) => isRetryableLimit(error) || (isRetryableOutage(error) && !error.failure.mayHaveTakenEffect),
  );

  return async (request, attempt) => {
    let mayHaveTakenEffect = false;
    try {
      return await (isIdempotent(request) ? idempotentPolicy : otherPolicy).execute(async () => {
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof SimpleMdmError) mayHaveTakenEffect ||= error.failure.mayHaveTakenEffect;
          throw error;
        }
      });
    } catch (error) {
      // An earlier attempt may have taken effect even if the last one did not reach the API.
      if (!(error instanceof SimpleMdmError) || error.failure.mayHaveTakenEffect === mayHaveTakenEffect)
        throw error;
      throw new SimpleMdmError({ ...error.failure, mayHaveTakenEffect }, { cause: error });
    }
  };
}

function isIdempotent({ method, idempotent }: ApiRequest): boolean {
  return method === 'GET' || method === 'PUT' || method === 'DELETE' || idempotent === true;
}

/** A response that names the time for a retry is not retried here: the job waits for that time. */
function isRetryableOutage(error: SimpleMdmError): boolean {
  return error.isOutage && error.failure.retryAt === undefined;
}
