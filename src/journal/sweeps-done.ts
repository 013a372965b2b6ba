import type { Redis } from 'ioredis';
import { z } from 'zod';
import { DAY_S } from '../queues/queues.js';
import { SWEEPS_DONE_KEY } from './keys.js';

/** The last time that a rule by the clock was worked through in an account. */
const sweepDone = z.object({
  /** The tick that it was for; ISO 8601. */
  scheduledAt: z.string(),
  finishedAt: z.string(),
  looked: z.int(),
  raised: z.int(),
});

/** The last time that a rule by the clock was worked through in an account. */
type SweepDone = z.output<typeof sweepDone>;

/** A schedule may come once a year; what is older is of a rule that is gone. */
const KEEP_S = 400 * DAY_S;

/** Notes that a rule by the clock was worked through in an account. */
export async function recordSweepDone(
  redis: Redis,
  rule: string,
  account: string,
  done: SweepDone,
): Promise<void> {
  const key = `${SWEEPS_DONE_KEY}:${rule}`;
  await redis.hset(key, account, JSON.stringify(done));
  await redis.expire(key, KEEP_S);
}

/** By account, when a rule was worked through last. */
export async function sweepsDone(redis: Redis, rule: string): Promise<Record<string, SweepDone>> {
  const fields = await redis.hgetall(`${SWEEPS_DONE_KEY}:${rule}`);
  return Object.fromEntries(
    Object.entries(fields).map(([account, value]) => [account, sweepDone.parse(JSON.parse(value))]),
  );
}
