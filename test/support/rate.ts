import type { Rate } from '../../src/simplemdm/token-bucket.js';

/**
 * Counts the calls that arrived sooner than a rate allows. A call that is late for the machine's sake never counts.
 *
 * @param arrivals - Epoch milliseconds, in any order.
 * @param startedAt - When the first call could be made at the earliest; the account had rested before.
 */
export function callsBeyond(
  { perSecond, burst }: Rate,
  arrivals: readonly number[],
  startedAt: number,
): number {
  return [...arrivals]
    .sort((a, b) => a - b)
    .filter((at, index) => index + 1 > burst + (perSecond * (at - startedAt)) / 1000).length;
}
