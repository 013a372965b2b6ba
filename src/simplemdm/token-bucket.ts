import type { Lane } from './lane.js';

/** How many calls an account may make. */
export interface Rate {
  readonly perSecond: number;
  /** How many calls may be made immediately after an idle time. */
  readonly burst: number;
}

/** The longest wait for a slot. A job with a longer wait goes back to the queue, which frees its worker. */
export const MAX_WAIT_MS = 30_000;

/** The share of the rate that bulk calls get in any case. */
const BULK_SHARE = 0.1;

/** A token bucket that stores a time instead of a count (generic cell rate algorithm). Epoch milliseconds. */
export interface TokenBucket {
  /** When the bucket is full again. */
  readonly fullAt: number;
  /** When the last bulk call got its slot. */
  readonly bulkAt: number;
}

/** A bucket that nobody has used. */
export const UNUSED: TokenBucket = { fullAt: 0, bulkAt: 0 };

/** The answer to a call that asks for a slot: its wait, when to ask again (bulk), or that the wait is too long. Milliseconds. */
export type Grant =
  | { readonly kind: 'slot'; readonly ms: number; readonly bucket: TokenBucket }
  | { readonly kind: 'again' | 'exhausted'; readonly ms: number };

/** The numbers of a rate that the algorithm uses, in milliseconds. */
export interface BucketTimes {
  /** Between two calls at the rate. */
  readonly intervalMs: number;
  /** A bucket is empty when it takes longer than this to fill. */
  readonly burstMs: number;
  /** For a bulk call: the same without the tokens that are reserved for interactive calls, half of the burst. */
  readonly bulkBurstMs: number;
  /** A bulk call gets a slot at least this often. */
  readonly bulkEveryMs: number;
}

/** The numbers of a rate. */
export function bucketTimes({ perSecond, burst }: Rate): BucketTimes {
  const intervalMs = 1000 / perSecond;
  return {
    intervalMs,
    burstMs: burst * intervalMs,
    bulkBurstMs: (burst - Math.floor(burst / 2)) * intervalMs,
    bulkEveryMs: intervalMs / BULK_SHARE,
  };
}

/**
 * Asks for a slot. All slots come from one bucket, so the calls of both lanes together keep the rate.
 *
 * An interactive call reserves its slot in advance. A bulk call gets a slot when the bucket has more tokens than the reserve. When no
 * bulk call got one for ten intervals, the next one reserves in advance as well: that is the share of bulk while interactive calls use
 * up the rate.
 *
 * {@link RESERVE_SLOT_LUA} is the same in Lua.
 *
 * @param now - Epoch milliseconds.
 */
export function requestSlot(bucket: TokenBucket, times: BucketTimes, lane: Lane, now: number): Grant {
  const { intervalMs, burstMs, bulkBurstMs, bulkEveryMs } = times;
  const fullAt = Math.max(bucket.fullAt, now) + intervalMs;
  const wait = Math.max(0, fullAt - burstMs - now);
  if (lane === 'interactive') {
    if (wait > MAX_WAIT_MS) return { kind: 'exhausted', ms: wait };
    return { kind: 'slot', ms: wait, bucket: { ...bucket, fullAt } };
  }
  const untilReserveIsKept = fullAt - bulkBurstMs - now;
  const untilShare = bucket.bulkAt + bulkEveryMs - now;
  if (untilReserveIsKept > 0 && untilShare > 0)
    return { kind: 'again', ms: Math.min(untilReserveIsKept, untilShare) };
  return { kind: 'slot', ms: wait, bucket: { fullAt, bulkAt: now } };
}

/**
 * {@link requestSlot} in Lua: `reserve_slot(key, lane, now, interval, burst, bulk_burst, bulk_every)` returns `{kind, milliseconds}`, rounded up.
 * The key is a hash with the fields `full_at` and `bulk_at`, in milliseconds with all digits.
 */
export const RESERVE_SLOT_LUA = `
  local function reserve_slot(key, lane, now, interval, burst, bulk_burst, bulk_every)
    local bucket = redis.call('hmget', key, 'full_at', 'bulk_at')
    local bulk_at = tonumber(bucket[2] or '0')
    local full_at = math.max(tonumber(bucket[1] or '0'), now) + interval
    local wait = math.max(0, math.ceil(full_at - burst - now))
    if lane == 'bulk' then
      local until_reserve_is_kept = full_at - bulk_burst - now
      local until_share = bulk_at + bulk_every - now
      if until_reserve_is_kept > 0 and until_share > 0 then
        return { 'again', math.ceil(math.min(until_reserve_is_kept, until_share)) }
      end
      bulk_at = now
    elseif wait > ${MAX_WAIT_MS} then
      return { 'exhausted', wait }
    end
    redis.call('hset', key, 'full_at', string.format('%.17g', full_at), 'bulk_at', string.format('%.17g', bulk_at))
    redis.call('pexpire', key, math.ceil(math.max(full_at - now, bulk_every)))
    return { 'slot', wait }
  end
`;
