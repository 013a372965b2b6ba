import type { Shard } from '../queues/shards.js';
import { pipelineResults } from '../queues/connection.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';

/** A sorted set of the events that wait for inventory, by the time of their next look. Only counted: the jobs hold the state. */
const waitsKey = (prefix: string): string => `${prefix}:inventory-waits`;

/** An event whose job was removed by hand would be counted forever. */
const OVERDUE_MS = 86_400_000;

/** Counts an event as one that waits for inventory. Returns whether it is new. */
export async function addInventoryWait(
  { redis, prefix }: Shard,
  eventId: string,
  nextLookAt: number,
): Promise<boolean> {
  const key = waitsKey(prefix);
  const pipeline = redis.pipeline().zadd(key, nextLookAt, eventId).expire(key, UNFINISHED_TTL_S);
  return pipelineResults(await pipeline.exec())[0] === 1;
}

/** Counts an event no longer. */
export async function removeInventoryWait({ redis, prefix }: Shard, eventId: string): Promise<void> {
  await redis.zrem(waitsKey(prefix), eventId);
}

/** How many events wait for inventory. */
export async function countInventoryWaits({ redis, prefix }: Shard): Promise<number> {
  return redis.zcount(waitsKey(prefix), Date.now() - OVERDUE_MS, '+inf');
}
