import type { SimulatorClock } from '../clock.js';

/** How a 429 announces the wait. Real accounts use all three. */
export const rateHeaderKinds = ['retry-after', 'x-ratelimit-reset', 'none'] as const;

export interface RateLimit {
  perSecond: number;
  burst: number;
  /** Default: `retry-after`. */
  headers?: (typeof rateHeaderKinds)[number];
}

/** The headers of a 429: the wait in seconds, its end in epoch seconds, or nothing. */
export function rateHeaders(
  kind: (typeof rateHeaderKinds)[number],
  seconds: number,
  now: Date,
): Record<string, string> {
  if (kind === 'retry-after') return { 'retry-after': String(seconds) };
  if (kind === 'none') return {};
  return { 'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + seconds) };
}

/**
 * Creates a token bucket of `burst` calls that refills at `perSecond`. The returned function requests one call and returns the
 * seconds to wait, 0 when the call may proceed.
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
