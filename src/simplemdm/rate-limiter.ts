import type { Lane } from './lane.js';
import { bucketTimes, requestSlot, UNUSED } from './token-bucket.js';
import type { Rate } from './token-bucket.js';

/** A time during which the account makes no calls. */
export interface AccountPause {
  /** Epoch milliseconds. */
  readonly until: number;
  /** The status of the response that caused the pause; undefined when the rate is used up. */
  readonly status?: number | undefined;
  readonly reason: string;
}

/** A slot for a call after a wait, the pause of the account, or (bulk only) when to ask again. */
export type Reservation =
  { readonly waitMs: number } | { readonly paused: AccountPause } | { readonly askAgainMs: number };

/** Limits the calls to one account, for all clients that share the limiter. */
export interface RateLimiter {
  /**
   * Reserves the next slot. A slot cannot be returned. Interactive calls (the default) always get one; bulk calls get one when enough
   * is left for interactive calls, or when bulk has had less than its share.
   */
  readonly reserve: (lane?: Lane) => Promise<Reservation>;
  /** The current pause of the account. */
  readonly paused: () => Promise<AccountPause | undefined>;
  /** Pauses the account. A longer pause that is in effect stays. */
  readonly pause: (pause: AccountPause) => Promise<void>;
}

/**
 * The pause for a call that would wait too long for a slot.
 *
 * @param until - When the slot would come, in epoch milliseconds.
 */
export function rateExhausted(until: number): AccountPause {
  return { until, reason: 'the rate limit of the account (API_RATE) is used up for now' };
}

/**
 * A rate limiter within this process.
 *
 * @param now - Epoch milliseconds.
 */
export function createLocalRateLimiter(rate: Rate, now: () => number = Date.now): RateLimiter {
  const times = bucketTimes(rate);
  let bucket = UNUSED;
  let pause: AccountPause | undefined;
  const paused = (): AccountPause | undefined =>
    pause !== undefined && now() < pause.until ? pause : undefined;
  const reserve = (lane: Lane): Reservation => {
    const current = paused();
    if (current !== undefined) return { paused: current };
    const grant = requestSlot(bucket, times, lane, now());
    switch (grant.kind) {
      case 'slot':
        ({ bucket } = grant);
        return { waitMs: grant.ms };
      case 'again':
        return { askAgainMs: grant.ms };
      case 'exhausted':
        return { paused: rateExhausted(now() + grant.ms) };
    }
  };
  return {
    reserve: (lane = 'interactive') => Promise.resolve(reserve(lane)),
    paused: () => Promise.resolve(paused()),
    pause: (next) => {
      if (next.until > (pause?.until ?? 0)) pause = next;
      return Promise.resolve();
    },
  };
}
