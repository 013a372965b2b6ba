import type { SimulatorClock } from '../clock.js';

export interface RateLimit {
  perSecond: number;
  burst: number;
}

/**
 * A bucket of `burst` calls that refills at `perSecond`. The returned function takes one call:
 * 0 where it may go ahead, otherwise the whole seconds to wait.
 */
export function createRateLimiter(limit: RateLimit | undefined, clock: SimulatorClock): () => number {
  if (limit === undefined) return () => 0;
  let tokens = limit.burst;
  let filledAt = clock.now().getTime();
  return () => {
    const now = clock.now().getTime();
    tokens = Math.min(limit.burst, tokens + ((now - filledAt) / 1000) * limit.perSecond);
    filledAt = now;
    if (tokens >= 1) {
      tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - tokens) / limit.perSecond));
  };
}
