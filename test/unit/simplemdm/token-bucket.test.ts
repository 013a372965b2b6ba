import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Lane } from '../../../src/simplemdm/lane.js';
import { bucketTimes, requestSlot, UNUSED } from '../../../src/simplemdm/token-bucket.js';
import type { Rate } from '../../../src/simplemdm/token-bucket.js';

const START = 1_700_000_000_000;

interface Call {
  readonly lane: Lane;
  readonly askedAt: number;
  readonly at: number;
}

/**
 * The calls that are made when interactive calls come at given times and a bulk call always waits.
 *
 * @param interactiveAt - Milliseconds from the start, ascending.
 */
function callsMade(rate: Rate, interactiveAt: readonly number[], endMs: number): Call[] {
  const times = bucketTimes(rate);
  const calls: Call[] = [];
  let bucket = UNUSED;
  const ask = (lane: Lane, now: number): number => {
    const grant = requestSlot(bucket, times, lane, now);
    if (grant.kind !== 'slot') return grant.ms;
    ({ bucket } = grant);
    calls.push({ lane, askedAt: now, at: now + grant.ms });
    return 0;
  };
  let bulkAsksAt = START;
  const interactive = interactiveAt.map((ms) => START + ms);
  while (bulkAsksAt < START + endMs) {
    const [next] = interactive;
    if (next !== undefined && next <= bulkAsksAt) {
      interactive.shift();
      ask('interactive', next);
    } else bulkAsksAt += Math.max(ask('bulk', bulkAsksAt), 0);
  }
  return calls;
}

const rates = fc.record({
  perSecond: fc.integer({ min: 1, max: 50 }),
  burst: fc.integer({ min: 1, max: 100 }),
});
const gaps = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 60 });
const ascending = (parts: readonly number[]): number[] => {
  let at = 0;
  return parts.map((gap) => (at += gap));
};

describe('the two lanes of a token bucket', () => {
  test('together never exceed burst and rate in any interval', () => {
    fc.assert(
      fc.property(rates, gaps, (rate, parts) => {
        const made = callsMade(rate, ascending(parts), 15_000)
          .map(({ at }) => at)
          .sort((a, b) => a - b);
        for (const [first, from] of made.entries()) {
          for (let last = first; last < made.length; last += 1) {
            const allowed = rate.burst + (((made[last] ?? 0) - from) / 1000) * rate.perSecond;
            if (last - first + 1 > allowed + 0.01)
              throw new Error(`calls ${first} to ${last} exceed ${allowed}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('bulk uses the whole rate while nobody else calls', () => {
    const made = callsMade({ perSecond: 10, burst: 20 }, [], 60_000);
    // Half of the burst, then the rate; the last one after 59.9 seconds.
    expect(made).toHaveLength(10 + 599);
  });

  test('an interactive call never waits for bulk while the reserve lasts', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 50 }), (rate, count) => {
        fc.pre(count < Math.floor(rate.burst / 2));
        const at = Array.from({ length: count }, () => 20_000);
        const waits = callsMade(rate, at, 40_000)
          .filter(({ lane }) => lane === 'interactive')
          .map((call) => call.at - call.askedAt);
        expect(waits).toEqual(at.map(() => 0));
      }),
    );
  });

  test('bulk gets a tenth of the rate while interactive calls would use all of it', () => {
    const rate = { perSecond: 10, burst: 20 };
    // Twelve calls per second: more than the rate.
    const interactive = Array.from({ length: 12 * 60 }, (_, index) => index * (1000 / 12));
    const bulk = callsMade(rate, interactive, 60_000).filter(({ lane }) => lane === 'bulk');
    const later = bulk.filter(({ askedAt }) => askedAt > START + 10_000);
    expect(later.length).toBeGreaterThanOrEqual(49);
    expect(later.length).toBeLessThanOrEqual(51);
  });

  test('bulk gets its share also when interactive calls are turned away, since the wait is too long', () => {
    const interactive = Array.from({ length: 40 * 60 }, (_, index) => index * 25);
    const made = callsMade({ perSecond: 10, burst: 20 }, interactive, 60_000);
    const bulk = made.filter(({ lane, askedAt }) => lane === 'bulk' && askedAt > START + 30_000);
    expect(bulk.length).toBeGreaterThanOrEqual(29);
    // Its slots do not come later and later.
    for (const { at, askedAt } of bulk) expect(at - askedAt).toBeLessThanOrEqual(31_000);
  });
});
