import type { Redis } from 'ioredis';
import { KEY_PREFIX, pipelineResults } from '../queues/connection.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';

/** A sorted set of the events that wait for inventory, by the time of their next look. Only counted: the jobs hold the state. */
const KEY = `${KEY_PREFIX}:inventory-waits`;

/** An event whose job was removed by hand would be counted forever. */
const OVERDUE_MS = 86_400_000;

/** Counts an event as one that waits for inventory. Returns whether it is new. */
export async function addInventoryWait(redis: Redis, eventId: string, nextLookAt: number): Promise<boolean> {
  const pipeline = redis.pipeline().zadd(KEY, nextLookAt, eventId).expire(KEY, UNFINISHED_TTL_S);
  return pipelineResults(await pipeline.exec())[0] === 1;
}

/** Counts an event no longer. */
export async function removeInventoryWait(redis: Redis, eventId: string): Promise<void> {
  await redis.zrem(KEY, eventId);
}

/** How many events wait for inventory. */
export async function countInventoryWaits(redis: Redis): Promise<number> {
  return redis.zcount(KEY, Date.now() - OVERDUE_MS, '+inf');
}
