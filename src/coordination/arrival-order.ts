import { KEY_PREFIX } from '../queues/connection.js';

/** This many arrivals in one millisecond keep their order. A score of Redis cannot hold finer steps. */
const ARRIVALS_PER_MILLISECOND = 2048;

/** KEYS: sorted set, counter. ARGV: member, time, TTL in seconds, arrivals per millisecond. */
const ADD = `
  local arrival = redis.call('incr', KEYS[2]) % tonumber(ARGV[4])
  redis.call('zadd', KEYS[1], 'NX', tonumber(ARGV[2]) + arrival / tonumber(ARGV[4]), ARGV[1])
  redis.call('expire', KEYS[1], ARGV[3])
`;

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
 * The arguments of an `eval`, alone or in a pipeline, that adds a member to a sorted set by time. Members with the same time are in the
 * order in which they were added.
 *
 * @param counter - Sorted sets with the same counter share one count of arrivals.
 * @see https://redis.io/docs/latest/commands/eval/
 */
export function addInArrivalOrder(
  counter: 'event-order' | 'group',
  { to, member, at, ttlS }: Arrival,
): [script: string, keys: number, ...values: (string | number)[]] {
  return [ADD, 2, to, `${KEY_PREFIX}:arrivals:${counter}`, member, at, ttlS, ARRIVALS_PER_MILLISECOND];
}
