import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';

/** This many arrivals in one millisecond keep their order. A score of Redis cannot hold finer steps. */
const ARRIVALS_PER_MILLISECOND = 2048;

/** KEYS: counter, sorted set of each member. ARGV: arrivals per millisecond; for each member: member, time, TTL in seconds. */
const ADD = defineScript(`
  for i = 2, #KEYS do
    local at = 2 + (i - 2) * 3
    local arrival = redis.call('incr', KEYS[1]) % tonumber(ARGV[1])
    redis.call('zadd', KEYS[i], 'NX', tonumber(ARGV[at + 1]) + arrival / tonumber(ARGV[1]), ARGV[at])
    redis.call('expire', KEYS[i], ARGV[at + 2])
  end
`);

/** A member of a sorted set. Adding it again does not change its position. */
export interface Arrival {
  /** The key of the sorted set. */
  readonly to: string;
  readonly member: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly ttlS: number;
}

/**
 * Adds members to sorted sets by time. Members with the same time are in the order in which they were added.
 *
 * @param counter - Sorted sets with the same counter share one count of arrivals.
 */
export async function addInArrivalOrder(
  { redis, prefix }: Shard,
  counter: 'event-order' | 'group',
  arrivals: readonly Arrival[],
): Promise<void> {
  if (arrivals.length === 0) return;
  const keys = [`${prefix}:arrivals:${counter}`, ...arrivals.map(({ to }) => to)];
  const values = arrivals.flatMap(({ member, at, ttlS }) => [member, at, ttlS]);
  await runScript(redis, ADD, keys, [ARRIVALS_PER_MILLISECOND, ...values]);
}
