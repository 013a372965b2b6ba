import { KEY_PREFIX } from '../queues/connection.js';

/** So many that come in the same millisecond keep their order; a score takes no finer steps. */
const ARRIVALS_PER_MILLISECOND = 2048;

/** KEYS: sorted set, arrivals. ARGV: member, at, kept for s, arrivals. */
const ADD = `
  local arrival = redis.call('incr', KEYS[2]) % tonumber(ARGV[4])
  redis.call('zadd', KEYS[1], 'NX', tonumber(ARGV[2]) + arrival / tonumber(ARGV[4]), ARGV[1])
  redis.call('expire', KEYS[1], ARGV[3])
`;

/** Sorted sets that share a count of arrivals. */
export type ArrivalCounter = 'order' | 'line';

/** What is added to a sorted set, where it keeps the place that it was given first. */
export interface Arrival {
  /** The key of the sorted set. */
  readonly to: string;
  readonly member: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Seconds. */
  readonly keptS: number;
}

/**
 * The arguments of the `eval`, alone or in a pipeline, that adds to a sorted set by time, and among the same times by arrival.
 *
 * @see https://redis.io/docs/latest/commands/eval/
 */
export function addInArrivalOrder(
  arrivals: ArrivalCounter,
  { to, member, at, keptS }: Arrival,
): [script: string, keys: number, ...given: (string | number)[]] {
  return [ADD, 2, to, `${KEY_PREFIX}:${arrivals}:arrivals`, member, at, keptS, ARRIVALS_PER_MILLISECOND];
}
