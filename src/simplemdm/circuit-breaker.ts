import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';

/** Consecutive failed calls (retries included) that open the circuit. */
const FAILURE_THRESHOLD = 5;

/** How long the circuit stays open before one call tests the API. */
const OPEN_MS = 10_000;

/** The state that users see: a half-open circuit counts as open. */
export type CircuitBreakerState = 'open' | 'closed';

/** Makes a call unless the circuit is open. */
export type CircuitBreaker = <T>(identity: CallIdentity, call: () => Promise<T>) => Promise<T>;

/**
 * A circuit breaker for one account. During an outage, calls fail immediately with kind `paused` instead of waiting for their
 * timeouts, and a paused call uses up no attempt of its job.
 *
 * @param now - Epoch milliseconds.
 */
export function createCircuitBreaker(
  now: () => number,
  onChange: ((state: CircuitBreakerState) => void) | undefined,
): CircuitBreaker {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAILURE_THRESHOLD),
  });
  let openedAt = 0;
  let lastFailure = '';
  let isOpen = false;
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) openedAt = now();
    if (state === CircuitState.HalfOpen || isOpen === (state === CircuitState.Open)) return;
    isOpen = state === CircuitState.Open;
    onChange?.(isOpen ? 'open' : 'closed');
  });
  return async (identity, call) => {
    try {
      const result = await breaker.execute(async () => {
        try {
          return { value: await call() };
        } catch (error) {
          // A 4xx shows that the API works, so the breaker counts it as a success.
          if (!isOutage(error)) return { error };
          lastFailure = error.message;
          throw error;
        }
      });
      if ('error' in result) throw result.error;
      return result.value;
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new SimpleMdmError({
        ...identity,
        kind: 'paused',
        detail: `SimpleMDM does not respond (account ${identity.account}): ${FAILURE_THRESHOLD} calls in a row failed, so calls are paused for a moment; the last one: ${lastFailure}`,
        mayHaveTakenEffect: false,
        retryAt: openedAt + OPEN_MS,
      });
    }
  };
}

function isOutage(error: unknown): error is SimpleMdmError {
  return error instanceof SimpleMdmError && error.isOutage;
}
