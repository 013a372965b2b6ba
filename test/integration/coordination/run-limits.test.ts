import { beforeEach, describe, expect, test } from '@jest/globals';
import { openRunLimits } from '../../../src/coordination/run-limits.js';
import type { RunLimit } from '../../../src/coordination/run-limits.js';
import { useTestRedis } from '../../support/use-redis.js';
import { singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const OWN: RunLimit = { runs: 2, windowMs: 60_000, shared: false, reason: 'two a minute' };
const SHARED: RunLimit = { runs: 3, windowMs: 60_000, shared: true, reason: 'three for all' };

describe('run limits', () => {
  let now = 1_000_000;
  const runLimits = () => openRunLimits(singleShard(redis()), () => now);
  /** The answer in one word: `newly held` when this request reached the limit. */
  async function admit(
    run: string,
    limits: readonly RunLimit[] = [OWN],
    rule = 'r',
    plannedAt = now,
  ): Promise<string> {
    const admission = await runLimits().admit({ account: 'a', rule, run, plannedAt, limits });
    return admission.kind === 'held' && admission.isNew ? 'newly held' : admission.kind;
  }

  test('a run that asks twice, because its process was killed in between, counts once', async () => {
    expect(await admit('one')).toBe('admitted');
    expect(await admit('one')).toBe('admitted');
    expect(await admit('two')).toBe('admitted');
    expect(await admit('three')).toBe('newly held');
    expect(await admit('four')).toBe('held');
    // This run started before the rule was held.
    expect(await admit('two')).toBe('admitted');
  });

  test('a held run learns which rule is held, since when and why, and counts as waiting once', async () => {
    for (const run of ['one', 'two']) await admit(run);
    const held = { account: 'a', rule: 'r', since: new Date(now).toISOString(), reason: 'two a minute' };
    for (const isNew of [true, false]) {
      const request = { account: 'a', rule: 'r', run: 'three', plannedAt: now, limits: [OWN] };
      expect(await runLimits().admit(request)).toEqual({ kind: 'held', held, isNew, waiting: 1 });
    }
    expect(await runLimits().listHeld()).toEqual([{ ...held, waitingRuns: 1, behindEarlierRuns: 0 }]);
    await runLimits().removeWaiting('a', 'r', 'three');
    expect(await runLimits().listHeld()).toEqual([{ ...held, waitingRuns: 0, behindEarlierRuns: 0 }]);
  });

  test('runs behind earlier runs count as waiting until they ask themselves, or end', async () => {
    for (const run of ['one', 'two', 'three']) await admit(run);
    for (const run of ['four', 'five', 'six']) await runLimits().addBehind('a', 'r', run);
    expect(await runLimits().listHeld()).toMatchObject([{ waitingRuns: 4, behindEarlierRuns: 3 }]);
    expect(await admit('four')).toBe('held');
    expect(await runLimits().listHeld()).toMatchObject([{ waitingRuns: 4, behindEarlierRuns: 2 }]);
    await runLimits().removeWaiting('a', 'r', 'five');
    expect(await runLimits().listHeld()).toMatchObject([{ waitingRuns: 3, behindEarlierRuns: 1 }]);
    expect(await runLimits().drop('a', 'r')).toBe(true);
    // The drop covers the run that waits behind: it learns so when it asks.
    expect(await admit('six', [OWN], 'r', now)).toBe('dropped');
    now += 1;
    for (const run of ['seven', 'eight', 'nine']) await admit(run);
    expect(await runLimits().listHeld()).toMatchObject([{ waitingRuns: 1, behindEarlierRuns: 0 }]);
  });

  test('runs from before the window do not count', async () => {
    await admit('one');
    await admit('two');
    now += 60_001;
    expect(await admit('three')).toBe('admitted');
  });

  test('releasing a rule over its own limit does not reset the shared limit', async () => {
    for (const run of ['one', 'two']) await admit(run, [OWN, SHARED]);
    expect(await admit('three', [OWN, SHARED])).toBe('newly held');
    expect(await runLimits().release('a', 'r')).toBe(true);
    expect(await admit('three', [OWN, SHARED])).toBe('admitted');
    expect(await admit('four', [OWN, SHARED])).toBe('newly held');
    expect((await runLimits().listHeld())[0]).toMatchObject({ rule: 'r', reason: 'three for all' });
  });

  test('releasing a rule that is not held does nothing', async () => {
    for (const run of ['one', 'two', 'three']) await admit(run, [SHARED], run);
    expect(await runLimits().release('a', 'no-such-rule')).toBe(false);
    expect(await admit('four', [SHARED], 'four')).toBe('newly held');
    expect(await runLimits().release('a', 'four')).toBe(true);
    expect(await admit('four', [SHARED], 'four')).toBe('admitted');
  });

  test('a drop drops the waiting runs, not later ones', async () => {
    for (const run of ['one', 'two', 'three']) await admit(run);
    const plannedBefore = now;
    expect(await runLimits().drop('a', 'r')).toBe(true);
    expect(await runLimits().drop('a', 'r')).toBe(false);
    now += 1;
    expect(await admit('three', [OWN], 'r', plannedBefore)).toBe('dropped');
    expect(await admit('four')).toBe('admitted');
  });
});
