import type { SimulatorClock } from '../clock.js';

/** How a 429 says when to come back: all three are seen in real accounts. */
export const rateHeaderKinds = ['retry-after', 'x-ratelimit-reset', 'none'] as const;

export interface RateLimit {
  perSecond: number;
  burst: number;
  /** `retry-after` when left out. */
  headers?: (typeof rateHeaderKinds)[number];
}

/** The headers of a 429: a wait in seconds, or an end in epoch seconds, or nothing. */
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
