import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { z } from 'zod';
import { createLocalRateLimiter, rateExhausted, MAX_WAIT_MS } from './rate-limiter.js';
import type { RedisClient, Shard } from '../queues/shards.js';
import type { AccountPause, Rate, RateLimiter } from './rate-limiter.js';

/** How long the first reservation waits for Redis. */
const CONNECT_TIMEOUT_MS = 5000;

/** A pause in Redis. Its end is the expiry of the key. */
const storedPause = z.object({ status: z.number().optional(), reason: z.string() });

/**
 * A rate limiter that all processes share through Redis, on the clock of Redis. While Redis is away, each process limits itself.
 *
 * The windows of rate-limiter-flexible allow twice the rate where two windows meet. A token bucket (generic cell rate algorithm)
 * in their place also reserves slots in advance: a call learns its wait once and does not poll.
 *
 */
export function createSharedRateLimiter(
  { redis, prefix }: Shard,
  account: string,
  rate: Rate,
  now: () => number = Date.now,
): RateLimiter {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${prefix}:api-rate`,
    points: 1,
    duration: 1,
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: tokenBucket(rate),
  });
  const pauseKey = `${prefix}:api-rate:${account}:paused`;
  const local = createLocalRateLimiter(rate, now);
  // Without this wait, processes that start together would each spend a local burst first.
  const connected = whenConnected(redis);

  const paused = async (): Promise<AccountPause | undefined> => {
    const localPause = await local.paused();
    if (localPause !== undefined || redis.status !== 'ready') return localPause;
    const [text, remainingMs] = await Promise.all([redis.get(pauseKey), redis.pttl(pauseKey)]);
    return text === null || remainingMs <= 0
      ? undefined
      : { ...storedPause.parse(JSON.parse(text)), until: now() + remainingMs };
  };

  return {
    reserve: async () => {
      await connected;
      const localPause = await local.paused();
      if (localPause !== undefined) return { paused: localPause };
      try {
        const { msBeforeNext } = await limiter.consume(account);
        return { waitMs: msBeforeNext };
      } catch (rejection) {
        if (rejection instanceof RateLimiterRes) {
          return { paused: (await paused()) ?? rateExhausted(now() + rejection.msBeforeNext) };
        }
        return local.reserve();
      }
    },
    paused,
    pause: async (pause) => {
      await local.pause(pause);
      // A 401 concerns this process only: the next process may have the right key.
      if (pause.status === 401) return;
      const ms = Math.ceil(pause.until - now());
      if (ms <= 0 || redis.status !== 'ready' || (await redis.pttl(pauseKey)) >= ms) return;
      const { status, reason } = pause;
      await redis.set(pauseKey, JSON.stringify({ status, reason }), 'PX', ms);
    },
  };
}

/** Resolves when the connection is up, or after {@link CONNECT_TIMEOUT_MS}. */
async function whenConnected(redis: RedisClient): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, CONNECT_TIMEOUT_MS);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * The Lua script of the limiter. Returns `{consumed points, milliseconds}`: one point and the wait for the slot, or two points
 * (too many) and the time until the next try. KEYS[1] holds when the bucket is full again, in milliseconds with fractions.
 */
function tokenBucket({ perSecond, burst }: Rate): string {
  const interval = 1000 / perSecond;
  return `
    local paused = redis.call('pttl', KEYS[1] .. ':paused')
    if paused > 0 then return {2, paused} end
    local time = redis.call('time')
    local now = time[1] * 1000 + time[2] / 1000
    local full_at = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), now) + ${interval}
    local wait = math.max(0, math.ceil(full_at - ${burst * interval} - now))
    if wait > ${MAX_WAIT_MS} then return {2, wait} end
    redis.call('set', KEYS[1], string.format('%.3f', full_at), 'PX', math.ceil(full_at - now))
    return {1, wait}
  `;
}
