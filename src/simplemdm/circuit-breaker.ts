import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './error-mapping.js';

/** So many calls in a row, each tried as often as it may be, without a proper answer mean that SimpleMDM is down. */
const FAILURES = 5;

/** How long calls are held before one of them tries again. */
const REST_MS = 10_000;

/** Makes a call unless the account's calls are held. */
export type CircuitBreaker = <T>(about: CallIdentity, call: () => Promise<T>) => Promise<T>;

/**
 * A circuit breaker for one account. When SimpleMDM is down, calls fail at once with kind `paused` instead of each waiting for
 * its time limit; waiting so uses up no attempt of a job.
 *
 * @param now - Epoch milliseconds.
 */
export function createCircuitBreaker(
  now: () => number,
  onChange: ((state: 'open' | 'closed') => void) | undefined,
): CircuitBreaker {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: REST_MS,
    breaker: new ConsecutiveBreaker(FAILURES),
  });
  let openedAt = 0;
  let open = false;
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) openedAt = now();
    if (state === CircuitState.HalfOpen || open === (state === CircuitState.Open)) return;
    open = state === CircuitState.Open;
    onChange?.(open ? 'open' : 'closed');
  });
  return async (about, call) => {
    try {
      const ended = await breaker.execute(async () => {
        try {
          return { answer: await call() };
        } catch (error) {
          // A refusal is an answer: to the breaker it is as good as any other.
          if (isTrouble(error)) throw error;
          return { refusal: error };
        }
      });
      if ('refusal' in ended) throw ended.refusal;
      return ended.answer;
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new SimpleMdmError({
        ...about,
        kind: 'paused',
        detail: `SimpleMDM does not answer (account ${about.account}): ${FAILURES} calls in a row failed, so calls are held for a moment`,
        mayHaveTakenEffect: false,
        retryAt: openedAt + REST_MS,
      });
    }
  };
}

/** No answer at all, or one that says that the server is broken. */
function isTrouble(error: unknown): boolean {
  if (!(error instanceof SimpleMdmError)) return false;
  const { kind, status } = error.failure;
  return kind === 'network' || kind === 'timeout' || (kind === 'response' && (status ?? 0) >= 500);
}
