import { COLLECTED_WRITES_LUA } from '../queues/collected-writes.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';

/** This many arrivals in one millisecond keep their order. A score of Redis cannot hold finer steps. */
const ARRIVALS_PER_MILLISECOND = 2048;

/** Lua: `add_in_arrival_order(counter, set, member, at, ttl, writes)`. Needs {@link COLLECTED_WRITES_LUA}, which counts for a whole batch. */
export const ARRIVAL_ORDER_LUA = `
local function add_in_arrival_order(counter, set, member, at, ttl, writes)
  local arrival = count_up(writes, counter) % ${ARRIVALS_PER_MILLISECOND}
  redis.call('zadd', set, 'NX', tonumber(at) + arrival / ${ARRIVALS_PER_MILLISECOND}, member)
  redis.call('expire', set, ttl)
end
`;

/** KEYS: counter, sorted set of each member. ARGV: for each member: member, time, TTL in seconds. */
const ADD = defineScript(`${COLLECTED_WRITES_LUA}${ARRIVAL_ORDER_LUA}
  for i = 2, #KEYS do
    local at = (i - 2) * 3
    add_in_arrival_order(KEYS[1], KEYS[i], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
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
  await runScript(redis, ADD, keys, values);
}
