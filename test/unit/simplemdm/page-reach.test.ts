import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPageReach } from '../../../src/simplemdm/page-reach.js';
import type { PageReach } from '../../../src/simplemdm/page-reach.js';

const reachNow = (): PageReach => createPageReach(() => 0);
const idsOf = (reach: PageReach, id: number, wanted: readonly number[]): number[] => [
  ...(reach.plan(id, wanted)?.ids ?? []),
];

describe('the page that a read shares', () => {
  test('has the wanted id, at least one other wanted id, and reaches them all', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ids, fc.nat(), (wanted, index) => {
        const id = wanted[index % wanted.length] ?? 1;
        // A page has shown that ids of the account are consecutive.
        const reach = reachNow();
        reach.learn({ startingAfter: 0, limit: 100, ids: new Set() }, [1, 2, 3]);
        const page = reach.plan(id, wanted);
        const neighbors = wanted.filter((other) => other !== id && Math.abs(other - id) < 100);
        expect(page !== undefined).toBe(neighbors.length > 0);
        if (page === undefined) return;
        expect(page.ids).toContain(id);
        expect(page.ids.size).toBeGreaterThan(1);
        for (const other of page.ids) {
          expect(wanted).toContain(other);
          expect(other).toBeGreaterThan(page.startingAfter);
          // All ids up to this one are at most so many records.
          expect(other - page.startingAfter).toBeLessThanOrEqual(page.limit);
        }
      }),
    );
  });

  test('is the one that serves most', () => {
    expect(idsOf(reachNow(), 200, [120, 200, 201, 202, 203])).toEqual([120, 200, 201, 202, 203]);
    expect(idsOf(reachNow(), 200, [101, 200, 201, 202, 203])).toEqual([200, 201, 202, 203]);
  });

  test('is not made for one id, or for ids that are far from each other', () => {
    expect(reachNow().plan(200, [200])).toBeUndefined();
    expect(reachNow().plan(200, [200, 200])).toBeUndefined();
    expect(reachNow().plan(200, [100, 200, 300])).toBeUndefined();
  });

  test('starts at the first device of all with the cursor 0', () => {
    expect(reachNow().plan(1, [1, 2])).toEqual({ startingAfter: 0, limit: 2, ids: new Set([1, 2]) });
  });
});

describe('how far pages reach', () => {
  const sparse = Array.from({ length: 10 }, (_unused, index) => 1000 * (index + 1));

  test('a page is tried when many reads wait, and shows it', () => {
    const reach = reachNow();
    const page = reach.plan(1000, sparse);
    expect(page).toEqual({ startingAfter: 999, limit: 100, ids: new Set(sparse) });
    if (page === undefined) return;
    reach.learn(page, sparse);
    expect(idsOf(reach, 5000, [5000, 9000])).toEqual([5000, 9000]);
  });

  test('a page that shows that the ids are too far apart is not tried again', () => {
    const reach = reachNow();
    const page = { startingAfter: 999, limit: 100, ids: new Set(sparse) };
    reach.learn(
      page,
      Array.from({ length: 100 }, (_unused, index) => 1000 + index),
    );
    expect(reach.plan(1000, sparse)).toBeUndefined();
  });

  test('a page without records, or with ids before its cursor, teaches nothing', () => {
    const reach = reachNow();
    const page = { startingAfter: 999, limit: 100, ids: new Set(sparse) };
    reach.learn(page, []);
    reach.learn(page, [1, 2, 3]);
    expect(idsOf(reach, 1000, sparse)).toEqual(sparse);
  });

  test('after a pause pages are planned again', () => {
    let now = 0;
    const reach = createPageReach(() => now);
    reach.pause();
    expect(reach.plan(1, [1, 2])).toBeUndefined();
    now = 10 * 60_000;
    expect(reach.plan(1, [1, 2])).toBeDefined();
  });
});
