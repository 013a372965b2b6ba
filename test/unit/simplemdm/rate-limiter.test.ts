import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLocalRateLimiter, waitForSlot } from '../../../src/simplemdm/rate-limiter.js';
import type { RateLimiter, Reservation } from '../../../src/simplemdm/rate-limiter.js';

const about = { account: 'default', method: 'GET', path: '/account' };
const waitOf = (turn: Reservation): number => ('waitMs' in turn ? turn.waitMs : Infinity);

describe('a local budget', () => {
  test('lets a burst go at once and the rest at its rate', async () => {
    const budget = createLocalRateLimiter({ perSecond: 10, burst: 3 }, () => 1000);
    const waits = [];
    for (let count = 0; count < 6; count += 1) waits.push(waitOf(await budget.reserve()));
    expect(waits).toEqual([0, 0, 0, 100, 200, 300]);
  });

  test('never lets more through in any stretch of time than the burst and the rate allow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 2, maxLength: 60 }),
        async (perSecond, burst, gaps) => {
          let time = 1_700_000_000_000;
          const budget = createLocalRateLimiter({ perSecond, burst }, () => time);
          const made: number[] = [];
          for (const gap of gaps) {
            time += gap;
            const turn = await budget.reserve();
            if ('waitMs' in turn) made.push(time + turn.waitMs);
          }
          made.sort((a, b) => a - b);
          for (const [first, from] of made.entries()) {
            for (const [last, to] of made.entries()) {
              if (last < first) continue;
              // Times of today in milliseconds leave some room for rounding.
              expect(last - first + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * perSecond + 0.01);
            }
          }
        },
      ),
    );
  });

  test('a line of more than half a minute is refused, and the refusal takes no turn', async () => {
    let time = 0;
    const budget = createLocalRateLimiter({ perSecond: 1, burst: 1 }, () => time);
    for (let count = 0; count <= 30; count += 1) await budget.reserve();
    const refused = await budget.reserve();
    expect(refused).toEqual({ paused: { until: 31_000, reason: expect.stringContaining('API_RATE') } });
    expect(await budget.reserve()).toEqual(refused);
    time = 1000;
    expect(await budget.reserve()).toEqual({ waitMs: 30_000 });
  });

  test('a pause refuses until it is over; a shorter one does not shorten it', async () => {
    let time = 0;
    const budget = createLocalRateLimiter({ perSecond: 10, burst: 10 }, () => time);
    const pause = { until: 5000, status: 429, reason: 'GET /account returned 429' };
    await budget.pause(pause);
    await budget.pause({ until: 2000, status: 429, reason: 'another' });
    time = 4999;
    expect(await budget.reserve()).toEqual({ paused: pause });
    expect(await budget.paused()).toEqual(pause);
    time = 5000;
    expect(await budget.paused()).toBeUndefined();
    expect(await budget.reserve()).toEqual({ waitMs: 0 });
  });
});

describe('takeTurn', () => {
  /** A budget that gives out turns from a list, each `paused()` the pause that begins while someone stands in line. */
  function scripted(turns: Reservation[], pausedAfterLine?: Reservation): RateLimiter {
    return {
      reserve: () => Promise.resolve(turns.shift() ?? { waitMs: 0 }),
      paused: () =>
        Promise.resolve(pausedAfterLine && 'paused' in pausedAfterLine ? pausedAfterLine.paused : undefined),
      pause: () => Promise.resolve(),
    };
  }
  const paused = { paused: { until: 60_000, status: 429, reason: 'GET /account returned 429' } };

  test('fails when the account is paused for longer than the call waits', async () => {
    const turn = waitForSlot(scripted([paused]), about, { now: () => 0, waitOutPauseMs: 59_999 });
    await expect(turn).rejects.toMatchObject({
      message: 'GET /account returned 429',
      failure: { kind: 'paused', retryAt: 60_000, mayHaveTakenEffect: false },
    });
  });

  test('a 401 is never waited out', async () => {
    const refusal = { paused: { until: 1, status: 401, reason: 'GET /account returned 401' } };
    await expect(
      waitForSlot(scripted([refusal]), about, { now: () => 0, waitOutPauseMs: 60_000 }),
    ).rejects.toMatchObject({ failure: { kind: 'paused' } });
  });

  test('a pause that began while the call stood in line holds it back', async () => {
    await expect(
      waitForSlot(scripted([{ waitMs: 1 }], paused), about, { now: () => 0, waitOutPauseMs: 0 }),
    ).rejects.toMatchObject({ failure: { kind: 'paused', retryAt: 60_000 } });
  });

  test('the stop of the process ends the wait', async () => {
    const stopping = new AbortController();
    const turn = waitForSlot(scripted([{ waitMs: 25_000 }]), about, {
      now: () => 0,
      waitOutPauseMs: 0,
      signal: stopping.signal,
    });
    stopping.abort();
    await expect(turn).rejects.toMatchObject({ failure: { kind: 'stopped', mayHaveTakenEffect: false } });
  });
});
