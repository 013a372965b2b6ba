import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { z } from 'zod';
import { createLocalRateLimiter, waitTooLong, MAX_WAIT_MS } from './rate-limiter.js';
import type { AccountPause, Rate, RateLimiter } from './rate-limiter.js';

const TIME_TO_CONNECT_MS = 5000;

/** What a pause is kept as. */
const keptPause = z.object({ status: z.number().optional(), reason: z.string() });

/**
 * A budget that all processes share through Redis, on the clock of Redis.
 *
 * The limiter's own windows let twice the rate through where two of them meet, so it is given a token bucket (generic cell
 * rate algorithm) that also hands out turns in advance: who comes too early is told how long to wait, and nobody has
 * to ask again. While Redis is away each process keeps to the rate for itself.
 *
 * @param keyPrefix - Every key begins with it.
 */
export function createSharedRateLimiter(
  redis: Redis,
  keyPrefix: string,
  account: string,
  rate: Rate,
  now: () => number = Date.now,
): RateLimiter {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${keyPrefix}:api-rate`,
    points: 1,
    duration: 1,
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: tokenBucket(rate),
  });
  const pauseKey = `${keyPrefix}:api-rate:${account}:paused`;
  const local = createLocalRateLimiter(rate, now);
  // Processes that start together would otherwise spend a burst each before they are connected.
  const connected = whenConnected(redis);

  const kept = async (): Promise<AccountPause | undefined> => {
    const own = await local.paused();
    if (own !== undefined || redis.status !== 'ready') return own;
    const [text, leftMs] = await Promise.all([redis.get(pauseKey), redis.pttl(pauseKey)]);
    return text === null || leftMs <= 0
      ? undefined
      : { ...keptPause.parse(JSON.parse(text)), until: now() + leftMs };
  };

  return {
    reserve: async () => {
      await connected;
      const own = await local.paused();
      if (own !== undefined) return { paused: own };
      try {
        const { msBeforeNext } = await limiter.consume(account);
        return { waitMs: msBeforeNext };
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) {
          return { paused: (await kept()) ?? waitTooLong(now() + refusal.msBeforeNext) };
        }
        return local.reserve();
      }
    },
    paused: kept,
    pause: async (pause) => {
      await local.pause(pause);
      // A refused key is one process's own: the next one may have been started with the right key.
      if (pause.status === 401) return;
      const ms = Math.ceil(pause.until - now());
      if (ms <= 0 || redis.status !== 'ready' || (await redis.pttl(pauseKey)) >= ms) return;
      const { status, reason } = pause;
      await redis.set(pauseKey, JSON.stringify({ status, reason }), 'PX', ms);
    },
  };
}

/** When a connection is first up, or has had time enough to be. */
async function whenConnected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, TIME_TO_CONNECT_MS);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Lua for the limiter, which takes `{consumed, milliseconds}` from it: one point consumed and the wait, or two points,
 * which is too many, and the time until it makes sense to ask again. KEYS[1] holds when the bucket is full again, in
 * milliseconds with fractions.
 */
function tokenBucket({ perSecond, burst }: Rate): string {
  const interval = 1000 / perSecond;
  return `
    local paused = redis.call('pttl', KEYS[1] .. ':paused')
    if paused > 0 then return {2, paused} end
    local time = redis.call('time')
    local now = time[1] * 1000 + time[2] / 1000
    local free = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), now) + ${interval}
    local wait = math.max(0, math.ceil(free - ${burst * interval} - now))
    if wait > ${MAX_WAIT_MS} then return {2, wait} end
    redis.call('set', KEYS[1], string.format('%.3f', free), 'PX', math.ceil(free - now))
    return {1, wait}
  `;
}
