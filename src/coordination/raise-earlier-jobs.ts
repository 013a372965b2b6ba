import type { Shard } from '../queues/shards.js';
import type { Backlog } from './backlog.js';

/** At most this many are raised at once; the job that waits asks again after them. */
const MAX_EARLIER = 10;

/**
 * Moves the bulk jobs that an interactive job waits for to the interactive lane: the earlier events of its device, the earlier runs of its
 * group. Otherwise the job would wait for everything that goes before them in the bulk lane.
 *
 * @param order - The key of the sorted set that has the ids of the jobs in their order.
 */
export async function raiseEarlierJobs(
  { redis }: Pick<Shard, 'redis'>,
  backlog: Pick<Backlog, 'makeInteractive'>,
  order: string,
  id: string,
): Promise<void> {
  const rank = await redis.zrank(order, id);
  if (rank === null || rank === 0) return;
  const earlier = await redis.zrange(order, '0', String(Math.min(rank, MAX_EARLIER) - 1));
  await Promise.all(earlier.map((job) => backlog.makeInteractive(job)));
}
