import { beforeEach, describe, expect, test } from '@jest/globals';
import { openRunLimits } from '../../../src/coordination/run-limits.js';
import type { RunLimit } from '../../../src/coordination/run-limits.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const OWN: RunLimit = { runs: 2, windowMs: 60_000, shared: false, reason: 'two a minute' };
const SHARED: RunLimit = { runs: 3, windowMs: 60_000, shared: true, reason: 'three for all' };

describe('ceilings', () => {
  let now = 1_000_000;
  const ceilings = () => openRunLimits(redis(), () => now);
  const admit = (run: string, given: readonly RunLimit[] = [OWN], rule = 'r', plannedAt = now) =>
    ceilings().admit({ account: 'a', rule, run, plannedAt, ceilings: given });

  test('a run that asks twice, because its process was killed in between, counts once', async () => {
    expect(await admit('one')).toBe('admitted');
    expect(await admit('one')).toBe('admitted');
    expect(await admit('two')).toBe('admitted');
    expect(await admit('three')).toBe('holds');
    expect(await admit('four')).toBe('held');
    // It had begun before the rule was held.
    expect(await admit('two')).toBe('admitted');
  });

  test('what began long enough ago does not count', async () => {
    await admit('one');
    await admit('two');
    now += 60_001;
    expect(await admit('three')).toBe('admitted');
  });

  test('releasing a rule that its own ceiling held gives those that are shared no more room', async () => {
    for (const run of ['one', 'two']) await admit(run, [OWN, SHARED]);
    expect(await admit('three', [OWN, SHARED])).toBe('holds');
    expect(await ceilings().release('a', 'r')).toBe(true);
    expect(await admit('three', [OWN, SHARED])).toBe('admitted');
    expect(await admit('four', [OWN, SHARED])).toBe('holds');
    expect((await ceilings().listHeld())[0]).toMatchObject({ rule: 'r', reason: 'three for all' });
  });

  test('releasing a rule that is not held does nothing', async () => {
    for (const run of ['one', 'two', 'three']) await admit(run, [SHARED], run);
    expect(await ceilings().release('a', 'no-such-rule')).toBe(false);
    expect(await admit('four', [SHARED], 'four')).toBe('holds');
    expect(await ceilings().release('a', 'four')).toBe(true);
    expect(await admit('four', [SHARED], 'four')).toBe('admitted');
  });

  test('dropping drops what waits, and not what comes later', async () => {
    for (const run of ['one', 'two', 'three']) await admit(run);
    const plannedBefore = now;
    expect(await ceilings().drop('a', 'r')).toBe(true);
    expect(await ceilings().drop('a', 'r')).toBe(false);
    now += 1;
    expect(await admit('three', [OWN], 'r', plannedBefore)).toBe('dropped');
    expect(await admit('four')).toBe('admitted');
  });
});
