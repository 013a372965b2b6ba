import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import type { ConcurrencyMode, ConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import { useTestRedis } from '../../support/use-redis.js';
import { singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();
let groups: ConcurrencyGroups;
beforeAll(() => {
  groups = openConcurrencyGroups(singleShard(redis()), { repeatWindowDays: 7, deadLetterDays: 90 });
});
beforeEach(() => redis().flushall());

const request = (run: string, at: number, mode: ConcurrencyMode = 'queued', group = 'group') =>
  groups.requestSlot({ group, run, at, mode });

describe('queued', () => {
  test('the run of the earliest event gets the slot, whichever run asks first', async () => {
    for (const [run, at] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
    ] as const)
      await groups.join('group', run, at);
    expect(await request('c', 3)).toEqual({ kind: 'waiting', behind: 'a', position: 2 });
    expect(await request('b', 2)).toEqual({ kind: 'waiting', behind: 'a', position: 1 });
    expect(await request('a', 1)).toEqual({ kind: 'acquired', superseded: undefined });
    expect(await request('b', 2)).toEqual({ kind: 'waiting', behind: 'a', position: 1 });
    expect(await groups.leave('group', 'a')).toBe('b');
    expect(await request('c', 3)).toMatchObject({ kind: 'waiting', behind: 'b' });
    expect(await request('b', 2)).toMatchObject({ kind: 'acquired' });
  });

  test('a run keeps its slot when it asks again', async () => {
    await request('a', 2);
    await groups.join('group', 'earlier', 1);
    expect(await request('a', 2)).toMatchObject({ kind: 'acquired' });
    expect(await request('earlier', 1)).toMatchObject({ kind: 'waiting', behind: 'a' });
  });

  test('in any order of requests, one run at a time has the slot, and all get it in the order of their events', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.nat(5), { minLength: 10, maxLength: 60 }),
        async (size, requests) => {
          count += 1;
          const group = `group ${count}`;
          for (let run = 0; run < size; run += 1) await groups.join(group, `run ${run}`, run);
          const finished: number[] = [];
          let active: number | undefined;
          for (const requested of [
            ...requests,
            ...Array.from({ length: size * 2 }, (_unused, index) => index),
          ]) {
            const run = requested % size;
            if (finished.includes(run)) continue;
            const result = await request(`run ${run}`, run, 'queued', group);
            if (result.kind !== 'acquired') continue;
            expect(active === undefined || active === run).toBe(true);
            if (active === run) {
              await groups.leave(group, `run ${run}`);
              finished.push(run);
              active = undefined;
            } else active = run;
          }
          expect(finished).toEqual([...finished].sort((a, b) => a - b));
        },
      ),
      { numRuns: 30 },
    );
  });
});

test('of runs with the same time, the first to join gets the slot, whatever its id', async () => {
  for (const run of ['c', 'a', 'b']) await groups.join('group', run, 1);
  expect(await request('a', 1)).toMatchObject({ kind: 'waiting', behind: 'c' });
  expect(await request('c', 1)).toMatchObject({ kind: 'acquired' });
  expect(await groups.leave('group', 'c')).toBe('a');
});

test('removeFinished keeps a run whose job exists and has not finished', async () => {
  await request('late', 1);
  await redis().hset('mdm-reflex:runs:late', 'data', '{}');
  await groups.removeFinished('group', 'late');
  expect(await groups.holdsSlot('group', 'late')).toBe(true);
  await redis().hset('mdm-reflex:runs:late', 'finishedOn', '1');
  await groups.removeFinished('group', 'late');
  expect(await groups.holdsSlot('group', 'late')).toBe(false);
});

describe('restart', () => {
  test('a newer run takes over the slot, and the older one is skipped', async () => {
    await request('old', 1, 'restart');
    expect(await request('new', 2, 'restart')).toEqual({ kind: 'acquired', superseded: 'old' });
    expect(await groups.holdsSlot('group', 'old')).toBe(false);
    expect(await request('old', 1, 'restart')).toEqual({ kind: 'skipped', because: 'new' });
  });

  test('an older run is skipped also after the newer one has finished', async () => {
    await request('new', 2, 'restart');
    await groups.leave('group', 'new');
    expect(await request('old', 1, 'restart')).toMatchObject({ kind: 'skipped' });
    expect(await request('newer', 3, 'restart')).toMatchObject({ kind: 'acquired' });
  });
});

test('a skipped run that leaves does not wake another one while the slot is taken', async () => {
  await request('holder', 1, 'single');
  await request('other', 2, 'single');
  expect(await groups.leave('group', 'other')).toBeUndefined();
  await groups.join('group', 'next', 3);
  expect(await groups.leave('group', 'holder')).toBe('next');
});

test('single: other runs are skipped while one has the slot', async () => {
  await request('a', 1, 'single');
  expect(await request('b', 2, 'single')).toEqual({ kind: 'skipped', because: 'a' });
  await groups.leave('group', 'a');
  expect(await request('c', 3, 'single')).toMatchObject({ kind: 'acquired' });
});
