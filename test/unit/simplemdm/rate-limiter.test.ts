import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLocalRateLimiter } from '../../../src/simplemdm/rate-limiter.js';
import type { Reservation } from '../../../src/simplemdm/rate-limiter.js';

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
