import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import type { ConcurrencyMode, ConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
let turns: ConcurrencyGroups;
beforeAll(() => {
  turns = openConcurrencyGroups(redis());
});
beforeEach(() => redis().flushall());

const ask = (run: string, at: number, mode: ConcurrencyMode = 'queued', group = 'line') =>
  turns.request({ group, run, at, mode });

describe('queued', () => {
  test('the one that happened first goes first, whoever asks first', async () => {
    for (const [run, at] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
    ] as const)
      await turns.join('line', run, at);
    expect(await ask('c', 3)).toEqual({ kind: 'wait', behind: 'a', place: 2 });
    expect(await ask('b', 2)).toEqual({ kind: 'wait', behind: 'a', place: 1 });
    expect(await ask('a', 1)).toEqual({ kind: 'go', replaced: undefined });
    expect(await ask('b', 2)).toEqual({ kind: 'wait', behind: 'a', place: 1 });
    expect(await turns.leave('line', 'a')).toBe('b');
    expect(await ask('c', 3)).toMatchObject({ kind: 'wait', behind: 'b' });
    expect(await ask('b', 2)).toMatchObject({ kind: 'go' });
  });

  test('one that goes on keeps its turn', async () => {
    await ask('a', 2);
    await turns.join('line', 'earlier', 1);
    expect(await ask('a', 2)).toMatchObject({ kind: 'go' });
    expect(await ask('earlier', 1)).toMatchObject({ kind: 'wait', behind: 'a' });
  });

  test('whatever is asked in whatever order, one goes at a time, and all go in the order of their times', async () => {
    let line = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.nat(5), { minLength: 10, maxLength: 60 }),
        async (count, questions) => {
          line += 1;
          const name = `line ${line}`;
          for (let run = 0; run < count; run += 1) await turns.join(name, `run ${run}`, run);
          const went: number[] = [];
          let going: number | undefined;
          for (const asked of [
            ...questions,
            ...Array.from({ length: count * 2 }, (_unused, index) => index),
          ]) {
            const run = asked % count;
            if (went.includes(run)) continue;
            const turn = await ask(`run ${run}`, run, 'queued', name);
            if (turn.kind !== 'go') continue;
            expect(going === undefined || going === run).toBe(true);
            if (going === run) {
              await turns.leave(name, `run ${run}`);
              went.push(run);
              going = undefined;
            } else going = run;
          }
          expect(went).toEqual([...went].sort((a, b) => a - b));
        },
      ),
      { numRuns: 30 },
    );
  });
});

test('of the same time the one that joined first goes first, whatever its name', async () => {
  for (const run of ['c', 'a', 'b']) await turns.join('line', run, 1);
  expect(await ask('a', 1)).toMatchObject({ kind: 'wait', behind: 'c' });
  expect(await ask('c', 1)).toMatchObject({ kind: 'go' });
  expect(await turns.leave('line', 'c')).toBe('a');
});

test('a run that was taken for gone and has begun meanwhile keeps its turn', async () => {
  await ask('late', 1);
  await redis().hset('mdm-reflex:runs:late', 'data', '{}');
  await turns.remove('line', 'late');
  expect(await turns.holdsSlot('line', 'late')).toBe(true);
  await redis().hset('mdm-reflex:runs:late', 'finishedOn', '1');
  await turns.remove('line', 'late');
  expect(await turns.holdsSlot('line', 'late')).toBe(false);
});

describe('restart', () => {
  test('the newer takes the place of the older, which is told so', async () => {
    await ask('old', 1, 'restart');
    expect(await ask('new', 2, 'restart')).toEqual({ kind: 'go', replaced: 'old' });
    expect(await turns.holdsSlot('line', 'old')).toBe(false);
    expect(await ask('old', 1, 'restart')).toEqual({ kind: 'skip', because: 'new' });
  });

  test('the older does not go behind the newer either', async () => {
    await ask('new', 2, 'restart');
    await turns.leave('line', 'new');
    expect(await ask('old', 1, 'restart')).toMatchObject({ kind: 'skip' });
    expect(await ask('newer', 3, 'restart')).toMatchObject({ kind: 'go' });
  });
});

test('one that is passed by does not make the one that has the turn the next', async () => {
  await ask('holder', 1, 'single');
  await ask('other', 2, 'single');
  expect(await turns.leave('line', 'other')).toBeUndefined();
  await turns.join('line', 'next', 3);
  expect(await turns.leave('line', 'holder')).toBe('next');
});

test('single: while one is under way, others are passed by', async () => {
  await ask('a', 1, 'single');
  expect(await ask('b', 2, 'single')).toEqual({ kind: 'skip', because: 'a' });
  await turns.leave('line', 'a');
  expect(await ask('c', 3, 'single')).toMatchObject({ kind: 'go' });
});
