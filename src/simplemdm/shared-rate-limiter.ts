import { z } from 'zod';
import { defineScript, runScript } from '../queues/script.js';
import type { RedisClient, Shard } from '../queues/shards.js';
import { createLocalRateLimiter, rateExhausted } from './rate-limiter.js';
import type { AccountPause, RateLimiter } from './rate-limiter.js';
import { bucketTimes, RESERVE_SLOT_LUA } from './token-bucket.js';
import type { Rate } from './token-bucket.js';

/** How long the first reservation waits for Redis. */
const CONNECT_TIMEOUT_MS = 5000;

/** A pause in Redis. Its end is the expiry of the key. */
const storedPause = z.object({ status: z.number().optional(), reason: z.string() });

/** On the clock of Redis. KEYS: bucket, pause. ARGV: lane, then the numbers of `BucketTimes`. Returns `{kind, milliseconds}`. */
const RESERVE = defineScript(`
  ${RESERVE_SLOT_LUA}
  local paused = redis.call('pttl', KEYS[2])
  if paused > 0 then return { 'paused', paused } end
  local time = redis.call('time')
  local now = time[1] * 1000 + time[2] / 1000
  local interval, burst, bulk_burst, bulk_every = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  return reserve_slot(KEYS[1], ARGV[1], now, interval, burst, bulk_burst, bulk_every)
`);

const answer = z.tuple([z.enum(['paused', 'slot', 'again', 'exhausted']), z.number()]);

/**
 * A rate limiter that all processes share through Redis, on the clock of Redis. While Redis is away, each process limits itself.
 *
 * @param shard - The connection, and the start of every key.
 */
export function createSharedRateLimiter(
  { redis, prefix }: Shard,
  account: string,
  rate: Rate,
  now: () => number = Date.now,
): RateLimiter {
  const { intervalMs, burstMs, bulkBurstMs, bulkEveryMs } = bucketTimes(rate);
  const bucketKey = `${prefix}:api-rate:${account}`;
  const pauseKey = `${bucketKey}:paused`;
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
    reserve: async (lane = 'interactive') => {
      await connected;
      const localPause = await local.paused();
      if (localPause !== undefined) return { paused: localPause };
      // A command would wait for the connection.
      if (redis.status !== 'ready') return local.reserve(lane);
      let result: unknown;
      try {
        result = await runScript(
          redis,
          RESERVE,
          [bucketKey, pauseKey],
          [lane, intervalMs, burstMs, bulkBurstMs, bulkEveryMs],
        );
      } catch {
        // Redis was lost meanwhile: the connection reports it.
        return local.reserve(lane);
      }
      const [kind, ms] = answer.parse(result);
      switch (kind) {
        case 'slot':
          return { waitMs: ms };
        case 'again':
          return { askAgainMs: ms };
        case 'paused':
        case 'exhausted':
          return { paused: (await paused()) ?? rateExhausted(now() + ms) };
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
