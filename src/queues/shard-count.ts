import { openShards } from './shards.js';
import type { RedisClient } from './shards.js';

/** In the shard that exists whatever the count is. */
const keyOf = (redis: RedisClient): string => `${openShards(redis, 1).home.prefix}:shards`;

/**
 * Stores how many shards a cluster has, if nobody has yet: another count would look for the accounts in other shards.
 *
 * @returns The stored count.
 */
export async function claimShardCount(redis: RedisClient, count: number): Promise<number> {
  await redis.set(keyOf(redis), count, 'NX');
  return (await storedShardCount(redis)) ?? count;
}

/** How many shards a cluster has; undefined before a service has used it. */
export async function storedShardCount(redis: RedisClient): Promise<number | undefined> {
  const stored = await redis.get(keyOf(redis));
  return stored === null ? undefined : Number(stored);
}
