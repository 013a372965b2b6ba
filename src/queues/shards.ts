import { createHash } from 'node:crypto';
import { KEY_PREFIX } from './connection.js';
import type { RedisClient } from './open-connection.js';

export type { RedisClient } from './open-connection.js';

/**
 * The keys that share a hash slot, so that one script can reach all of them. Everything of an account is in one shard. Without a
 * cluster there is one shard.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export interface Shard {
  readonly redis: RedisClient;
  /** The start of every key of the shard, with its hash tag: `mdm-reflex`, or `mdm-reflex:{3}` in a cluster. */
  readonly prefix: string;
}

/** The shards of one Redis, Sentinel or cluster. */
export interface Shards {
  /** The connection that all shards share. */
  readonly redis: RedisClient;
  /** Holds what belongs to no single account: alerts, silences, schedules, approvals, the status of the accounts. */
  readonly home: Shard;
  readonly all: readonly Shard[];
  /** The shard of an account. */
  readonly of: (account: string) => Shard;
}

/** The one shard of a Redis that is no cluster. */
export function singleShard(redis: RedisClient): Shard {
  return { redis, prefix: KEY_PREFIX };
}

/**
 * The shards on a connection.
 *
 * @param count - How many shards the keys are spread over; undefined for a Redis that is no cluster. The count must stay the same for
 *   the life of the data: it decides where an account is.
 */
export function openShards(redis: RedisClient, count?: number): Shards {
  if (count === undefined) {
    const only = singleShard(redis);
    return { redis, home: only, all: [only], of: () => only };
  }
  const [home, ...others] = Array.from({ length: count }, (_, index): Shard => ({
    redis,
    prefix: `${KEY_PREFIX}:{${index}}`,
  }));
  if (home === undefined) throw new RangeError(`expected at least one shard, not ${count}`);
  const all = [home, ...others];
  return { redis, home, all, of: (account) => all[shardIndexOf(account, count)] ?? home };
}

/** The position of an account's shard. SHA-256 spreads similar names (`customer-1`, `customer-2`) evenly. */
function shardIndexOf(account: string, count: number): number {
  return createHash('sha256').update(account).digest().readUInt32BE(0) % count;
}

/** Reads a list from each shard and joins the lists. */
export async function fromAllShards<T>(
  { all }: Shards,
  read: (shard: Shard) => Promise<readonly T[]>,
): Promise<T[]> {
  return (await Promise.all(all.map(read))).flat();
}
