import type { Redis } from 'ioredis';
import { z } from 'zod';
import { DAY_S } from '../queues/queues.js';
import { LAST_SWEEPS_KEY } from '../journal/trace-keys.js';

/** The last time that a rule by the clock was worked through in an account. */
const sweepRecord = z.object({
  /** The tick that it was for; ISO 8601. */
  scheduledAt: z.string(),
  finishedAt: z.string(),
  looked: z.int(),
  raised: z.int(),
});

/** The last time that a rule by the clock was worked through in an account. */
type SweepRecord = z.output<typeof sweepRecord>;

/** A schedule may come once a year; what is older is of a rule that is gone. */
const SWEEP_RECORD_TTL_S = 400 * DAY_S;

/** Notes that a rule by the clock was worked through in an account. */
export async function recordSweep(
  redis: Redis,
  rule: string,
  account: string,
  done: SweepRecord,
): Promise<void> {
  const key = `${LAST_SWEEPS_KEY}:${rule}`;
  await redis.hset(key, account, JSON.stringify(done));
  await redis.expire(key, SWEEP_RECORD_TTL_S);
}

/** By account, when a rule was worked through last. */
export async function lastSweeps(redis: Redis, rule: string): Promise<Record<string, SweepRecord>> {
  const fields = await redis.hgetall(`${LAST_SWEEPS_KEY}:${rule}`);
  return Object.fromEntries(
    Object.entries(fields).map(([account, value]) => [account, sweepRecord.parse(JSON.parse(value))]),
  );
}
