import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { retryDelay } from '../../../src/queues/backoff.js';

const policy = fc.record({
  attempts: fc.integer({ min: 1, max: 1000 }),
  baseMs: fc.integer({ min: 1, max: 3_600_000 }),
  maxMs: fc.integer({ min: 1, max: 86_400_000 }),
});
const attempt = fc.integer({ min: 1, max: 1000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('retryDelay', () => {
  test.each([
    [1, 0, 500],
    [1, 0.5, 750],
    [1, 0.999_999, 1000],
    [2, 0, 1000],
    [3, 0, 2000],
    [11, 0, 450_000],
    [100, 0.999_999, 900_000],
  ])('attempt %d with %d waits %d ms', (made, dice, expected) => {
    expect(retryDelay({ attempts: 100, baseMs: 1000, maxMs: 900_000 }, made, dice)).toBe(expected);
  });

  test('is an integer between half of the exponential delay and all of it, capped', () => {
    fc.assert(
      fc.property(policy, attempt, random, (given, made, dice) => {
        const wait = retryDelay(given, made, dice);
        const whole = Math.min(given.baseMs * 2 ** (made - 1), given.maxMs);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(whole / 2));
        expect(wait).toBeLessThanOrEqual(whole);
        expect(wait).toBeLessThanOrEqual(given.maxMs);
      }),
    );
  });

  test('never gets shorter with more attempts', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 100 }), random, (given, made, dice) => {
        expect(retryDelay(given, made + 1, dice)).toBeGreaterThanOrEqual(retryDelay(given, made, dice));
      }),
    );
  });

  test('is never shorter than the requested delay, also beyond the cap', () => {
    fc.assert(
      fc.property(
        policy,
        attempt,
        random,
        fc.integer({ min: 0, max: 200_000_000 }),
        (given, made, dice, asked) => {
          const wait = retryDelay(given, made, dice, asked);
          expect(wait).toBeGreaterThanOrEqual(asked);
          expect(wait).toBeLessThanOrEqual(Math.max(Math.ceil(asked * 1.2), retryDelay(given, made, dice)));
        },
      ),
    );
  });

  test('jobs that failed together do not retry together', () => {
    const waits = Array.from({ length: 100 }, (_, index) =>
      retryDelay({ attempts: 100, baseMs: 60_000, maxMs: 900_000 }, 1, index / 100),
    );
    expect(new Set(waits).size).toBe(100);
  });
});
