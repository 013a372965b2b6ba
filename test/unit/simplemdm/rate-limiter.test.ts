import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLocalRateLimiter, waitForSlot } from '../../../src/simplemdm/rate-limiter.js';
import type { RateLimiter, Reservation } from '../../../src/simplemdm/rate-limiter.js';

const identity = { account: 'default', method: 'GET', path: '/account' };
const waitOf = (reservation: Reservation): number =>
  'waitMs' in reservation ? reservation.waitMs : Infinity;

describe('createLocalRateLimiter', () => {
  test('allows a burst immediately and then the rate', async () => {
    const limiter = createLocalRateLimiter({ perSecond: 10, burst: 3 }, () => 1000);
    const waits = [];
    for (let count = 0; count < 6; count += 1) waits.push(waitOf(await limiter.reserve()));
    expect(waits).toEqual([0, 0, 0, 100, 200, 300]);
  });

  test('never exceeds burst and rate in any interval', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 2, maxLength: 60 }),
        async (perSecond, burst, gaps) => {
          let time = 1_700_000_000_000;
          const limiter = createLocalRateLimiter({ perSecond, burst }, () => time);
          const made: number[] = [];
          for (const gap of gaps) {
            time += gap;
            const reservation = await limiter.reserve();
            if ('waitMs' in reservation) made.push(time + reservation.waitMs);
          }
          made.sort((a, b) => a - b);
          for (const [first, from] of made.entries()) {
            for (const [last, to] of made.entries()) {
              if (last < first) continue;
              // Epoch milliseconds leave room for rounding errors.
              expect(last - first + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * perSecond + 0.01);
            }
          }
        },
      ),
    );
  });

  test('a wait of more than 30 seconds is refused and takes no slot', async () => {
    let time = 0;
    const limiter = createLocalRateLimiter({ perSecond: 1, burst: 1 }, () => time);
    for (let count = 0; count <= 30; count += 1) await limiter.reserve();
    const refused = await limiter.reserve();
    expect(refused).toEqual({ paused: { until: 31_000, reason: expect.stringContaining('API_RATE') } });
    expect(await limiter.reserve()).toEqual(refused);
    time = 1000;
    expect(await limiter.reserve()).toEqual({ waitMs: 30_000 });
  });

  test('a pause refuses until it ends; a shorter pause does not shorten it', async () => {
    let time = 0;
    const limiter = createLocalRateLimiter({ perSecond: 10, burst: 10 }, () => time);
    const pause = { until: 5000, status: 429, reason: 'GET /account returned 429' };
    await limiter.pause(pause);
    await limiter.pause({ until: 2000, status: 429, reason: 'another' });
    time = 4999;
    expect(await limiter.reserve()).toEqual({ paused: pause });
    expect(await limiter.paused()).toEqual(pause);
    time = 5000;
    expect(await limiter.paused()).toBeUndefined();
    expect(await limiter.reserve()).toEqual({ waitMs: 0 });
  });
});

describe('waitForSlot', () => {
  /** A rate limiter with scripted reservations; `pausedDuringWait` starts during a wait. */
  function scripted(reservations: Reservation[], pausedDuringWait?: Reservation): RateLimiter {
    return {
      reserve: () => Promise.resolve(reservations.shift() ?? { waitMs: 0 }),
      paused: () =>
        Promise.resolve(
          pausedDuringWait && 'paused' in pausedDuringWait ? pausedDuringWait.paused : undefined,
        ),
      pause: () => Promise.resolve(),
    };
  }
  const paused = { paused: { until: 60_000, status: 429, reason: 'GET /account returned 429' } };

  test('fails when the account is paused for longer than the call waits', async () => {
    const slot = waitForSlot(scripted([paused]), identity, { now: () => 0, maxPauseWaitMs: 59_999 });
    await expect(slot).rejects.toMatchObject({
      message: 'GET /account returned 429',
      failure: { kind: 'paused', retryAt: 60_000, mayHaveTakenEffect: false },
    });
  });

  test('a call never waits for the end of a pause after a 401', async () => {
    const refusal = { paused: { until: 1, status: 401, reason: 'GET /account returned 401' } };
    await expect(
      waitForSlot(scripted([refusal]), identity, { now: () => 0, maxPauseWaitMs: 60_000 }),
    ).rejects.toMatchObject({ failure: { kind: 'paused' } });
  });

  test('a pause that starts during the wait applies', async () => {
    await expect(
      waitForSlot(scripted([{ waitMs: 1 }], paused), identity, { now: () => 0, maxPauseWaitMs: 0 }),
    ).rejects.toMatchObject({ failure: { kind: 'paused', retryAt: 60_000 } });
  });

  test('a stop of the process ends the wait', async () => {
    const stopping = new AbortController();
    const slot = waitForSlot(scripted([{ waitMs: 25_000 }]), identity, {
      now: () => 0,
      maxPauseWaitMs: 0,
      signal: stopping.signal,
    });
    stopping.abort();
    await expect(slot).rejects.toMatchObject({ failure: { kind: 'stopped', mayHaveTakenEffect: false } });
  });
});
