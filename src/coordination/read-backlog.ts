import type { Lane } from '../queues/jobs.js';
import { EVENTS, RUNS, SWEEPS } from '../queues/queues.js';
import { pipelineResults } from '../queues/connection.js';
import type { RedisClient, Shard } from '../queues/shards.js';
import { z } from 'zod';

/** The queues that have a backlog. */
export const QUEUES_WITH_BACKLOG = [EVENTS, RUNS, SWEEPS] as const;

/** What jobs in the backlog wait for: a place in the window of their account and lane, or an account that answers. */
export type BacklogReason = 'window' | 'account_unavailable';

/** The jobs of a queue, a lane and an account that wait for the same reason. */
export interface BacklogRow {
  readonly queue: (typeof QUEUES_WITH_BACKLOG)[number];
  readonly lane: Lane;
  readonly account: string;
  /** Bulk jobs: the rule of the runs, or the type of the events. Undefined for interactive jobs, and for an unavailable account. */
  readonly rule: string | undefined;
  readonly reason: BacklogReason;
  /** How many jobs wait. */
  readonly waiting: number;
  /** How many jobs of the account and lane are in flight: the same number in each row of the account and lane. */
  readonly inFlight: number;
  /** When the oldest waiting job was added, in epoch milliseconds. */
  readonly oldestAt: number;
  /** When the account is asked next, in epoch milliseconds. Undefined while it answers. */
  readonly heldUntil: number | undefined;
}

/** Reads what waits in the backlogs of a shard. An account that has no backlog is in no row. */
export async function readBacklog(shard: Shard): Promise<BacklogRow[]> {
  const rows = await Promise.all(
    QUEUES_WITH_BACKLOG.flatMap((queue) => [
      readLane(shard, queue, 'interactive'),
      readLane(shard, queue, 'bulk'),
    ]),
  );
  return rows.flat();
}

async function readLane(
  { redis, prefix }: Shard,
  queue: BacklogRow['queue'],
  lane: Lane,
): Promise<BacklogRow[]> {
  const root = `${prefix}:backlog:${queue}`;
  const accounts = await redis.zrange(`${root}:accounts:${lane}`, '0', '-1');
  const rows = await Promise.all(
    accounts.map(async (account) => {
      const waiting = `${root}:waiting:${lane}:${account}`;
      const turns =
        lane === 'bulk' ? await redis.zrange(`${root}:turns:bulk:${account}`, '0', '-1') : undefined;
      const parts: { key: string; rule: string | undefined; reason: BacklogReason }[] = [
        { key: `${root}:parked:${lane}:${account}`, rule: undefined, reason: 'account_unavailable' },
        ...(turns === undefined
          ? [{ key: waiting, rule: undefined, reason: 'window' as const }]
          : turns.map((rule) => ({ key: `${waiting}:${rule}`, rule, reason: 'window' as const }))),
      ];
      const [inFlight, held, ...sizes] = await Promise.all([
        redis.scard(`${root}:in-flight:${lane}:${account}`),
        redis.get(`${root}:held:${lane}:${account}`),
        ...parts.map((part) => sizeOf(redis, part, `${prefix}:${queue}`)),
      ]);
      return parts.flatMap(({ rule, reason }, index): BacklogRow[] => {
        const size = sizes[index];
        if (size === undefined || size.waiting === 0) return [];
        const heldUntil = held === null ? undefined : Number(held);
        return [{ queue, lane, account, rule, reason, ...size, inFlight, heldUntil }];
      });
    }),
  );
  return rows.flat();
}

const sizeAndFirst = z.tuple([z.int(), z.array(z.string())]);

/** How many jobs wait under a key, and when the oldest was added. */
async function sizeOf(
  redis: RedisClient,
  { key, reason }: { readonly key: string; readonly reason: BacklogReason },
  queueKey: string,
): Promise<Pick<BacklogRow, 'waiting' | 'oldestAt'>> {
  const results = await redis.pipeline().zcard(key).zrange(key, '0', '0', 'WITHSCORES').exec();
  const [waiting, [id = '', score = '0']] = sizeAndFirst.parse(pipelineResults(results));
  // Parked jobs are in the order in which they try again.
  const addedAt = reason === 'window' ? score : ((await redis.hget(`${queueKey}:${id}`, 'timestamp')) ?? '0');
  return { waiting, oldestAt: Math.floor(Number(addedAt)) };
}
