import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { DAY_S } from '../queues/retention.js';

const sweepRecord = z.object({
  /** When the tick of the sweep was due, ISO 8601. */
  scheduledAt: z.string(),
  finishedAt: z.string(),
  /** The number of devices evaluated. */
  evaluated: z.int(),
  /** The number of events emitted. */
  emitted: z.int(),
  /** Why the sweep ended before the end of the device list. */
  incomplete: z.string().optional(),
});

/** The last completed sweep of a rule in an account. */
type SweepRecord = z.output<typeof sweepRecord>;

/** A hash per rule: by account, a {@link SweepRecord} as JSON. */
const lastSweepsKey = (prefix: string, rule: string): string => `${prefix}:last-sweeps:${rule}`;

/** A schedule may be due once a year. An older record belongs to a removed rule. */
const SWEEP_RECORD_TTL_S = 400 * DAY_S;

/** Records a completed sweep. */
export async function recordSweep(
  { redis, prefix }: Shard,
  rule: string,
  account: string,
  sweep: SweepRecord,
): Promise<void> {
  await redis.hset(lastSweepsKey(prefix, rule), account, JSON.stringify(sweep));
  await redis.expire(lastSweepsKey(prefix, rule), SWEEP_RECORD_TTL_S);
}

/** The last completed sweep of a rule in each account. */
export async function lastSweeps(
  { redis, prefix }: Shard,
  rule: string,
): Promise<Record<string, SweepRecord>> {
  const fields = await redis.hgetall(lastSweepsKey(prefix, rule));
  return Object.fromEntries(
    Object.entries(fields).map(([account, value]) => [account, sweepRecord.parse(JSON.parse(value))]),
  );
}
