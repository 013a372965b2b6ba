import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recheckInterval } from '../../../src/queues/recheck-interval.js';

const BOUNDS = { share: 0.1, minMs: 200, maxMs: 15_000 };

test.each([
  [0, 200],
  [2000, 200],
  [10_000, 1000],
  [150_000, 15_000],
  [3_600_000, 15_000],
  // A clock that was set back.
  [-5000, 200],
])('after %d ms the next check is in %d ms', (waited, expected) => {
  const now = 1_700_000_000_000;
  expect(recheckInterval(now - waited, BOUNDS, now)).toBe(expected);
});

test('the interval never leaves its bounds and never shrinks during a wait', () => {
  const waited = fc.integer({ min: 0, max: 100_000_000 });
  fc.assert(
    fc.property(waited, waited, (a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)].map((ms) => recheckInterval(0, BOUNDS, ms));
      expect(short).toBeGreaterThanOrEqual(BOUNDS.minMs);
      expect(long).toBeLessThanOrEqual(BOUNDS.maxMs);
      expect(short).toBeLessThanOrEqual(long ?? 0);
    }),
  );
});
