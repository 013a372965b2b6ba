import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DEFAULT_LOOK_PAUSES_MS,
  nextLook,
  notArrived,
  waitAfterLook,
} from '../../../src/runs/inventory-looks.js';

const HOUR = 3_600_000;

/** The times of all looks of a wait, in milliseconds since its start. */
function looksOf(settleMs: number, pausesMs?: readonly number[]): number[] {
  const times = [0];
  for (let at = 0; at < settleMs;) {
    at = nextLook({ since: 0, until: settleMs, looks: times.length }, at, pausesMs);
    times.push(at);
    if (times.length > 10_000) throw new Error('the looks never end');
  }
  return times;
}

describe('the schedule of looks', () => {
  test('after 15 s, 30 s, 1 m, 2 m, then every 5 minutes, and a last one at the end of settle', () => {
    const seconds = looksOf(HOUR).map((ms) => ms / 1000);
    expect(seconds.slice(0, 7)).toEqual([0, 15, 45, 105, 225, 525, 825]);
    expect(seconds.at(-1)).toBe(3600);
  });

  test('is bounded whatever settle is: looks go forward, the last one is at its end, and there are few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 * 24 * HOUR }), (settleMs) => {
        const times = looksOf(settleMs);
        expect(times.at(-1)).toBe(settleMs);
        expect(times.length).toBeLessThan(120);
        for (const [index, time] of times.entries()) {
          if (index > 0) expect(time).toBeGreaterThan(times[index - 1] ?? 0);
          const pause = DEFAULT_LOOK_PAUSES_MS[index - 1];
          if (pause !== undefined && time !== settleMs) expect(time - (times[index - 1] ?? 0)).toBe(pause);
        }
      }),
    );
  });

  test('a job that runs before the next look is due changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: HOUR }), fc.integer({ min: 1, max: 50 }), (pause, looks) => {
        const before = { since: new Date(0).toISOString(), looks, nextLookAt: new Date(HOUR).toISOString() };
        expect(waitAfterLook(before, { since: 0, until: 2 * HOUR }, HOUR - pause, undefined)).toBe(before);
        const after = waitAfterLook(before, { since: 0, until: 2 * HOUR }, HOUR, undefined);
        expect(after).toMatchObject({ since: before.since, looks: looks + 1 });
        expect(Date.parse(after.nextLookAt)).toBeGreaterThan(HOUR);
      }),
    );
  });
});

test.each([
  [HOUR, '1h'],
  [90 * 60_000, '90m'],
  [86_400_000, '1d'],
  [45_000, '45s'],
])('%i ms of settle are %s in a reason', (ms, words) => {
  expect(notArrived(['apps'], ms)).toBe(`apps did not arrive within settle (${words})`);
});
