import { beforeEach, describe, expect, test } from '@jest/globals';
import { openClaims } from '../../../src/coordination/claims.js';
import { openConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import { openRunLimits } from '../../../src/coordination/run-limits.js';
import { openJournal } from '../../../src/journal/journal.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { DAY_S } from '../../../src/queues/retention.js';
import { MAX_STEP_DAYS } from '../../../src/rules/model/duration.js';
import { registerEvents } from '../../support/register-events.js';
import { causeOf, expectEvent } from '../../support/event-causes.js';
import { useTestRedis } from '../../support/use-redis.js';
import { singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const EVENT = {
  id: 'e1'.repeat(32),
  account: 'default',
  type: 'device.enrolled',
  at: '2026-01-31T08:00:00Z',
  receivedAt: new Date().toISOString(),
  source: 'webhook' as const,
  data: { device: { id: 54 } },
};

/** How long after the failure of its run a dead letter can be replayed: a replay needs the trace. */
async function replayableS(retention: { repeatWindowDays: number; deadLetterDays: number }): Promise<number> {
  const journal = openJournal(singleShard(redis()), retention, (text) => text);
  await journal.recordReceived([EVENT]);
  await journal.recordRun(EVENT.id, {
    rule: 'r',
    status: 'failed',
    plannedAt: EVENT.receivedAt,
    steps: [],
  });
  return redis().ttl(traceKey(KEY_PREFIX, EVENT.id));
}

describe.each([
  ['by default', { repeatWindowDays: 7, deadLetterDays: 90 }],
  ['with the longest retention', { repeatWindowDays: 365, deadLetterDays: 3650 }],
  ['with dead letters that stay for the repeat window', { repeatWindowDays: 365, deadLetterDays: 1 }],
  ['with the shortest retention', { repeatWindowDays: 1, deadLetterDays: 1 }],
])('what a replay needs outlives every dead letter, %s', (_what, retention) => {
  const WAIT_AFTER_REPLAY_S = 29 * DAY_S;

  test('claims', async () => {
    const claim = openClaims(singleShard(redis()), { account: 'default', step: 'e.r.0' }, retention);
    expect(await claim('script_job:341')).toBe(true);
    expect(await redis().ttl('mdm-reflex:claim:default:script_job:341')).toBeGreaterThan(
      (await replayableS(retention)) + WAIT_AFTER_REPLAY_S,
    );
  });

  test('the cause of an event', async () => {
    const shard = singleShard(redis());
    await expectEvent(shard, EVENT.type, 54, { event: 'e0', rule: 'r', chainLength: 1 });
    expect(await causeOf(shard, EVENT, retention)).toEqual({ event: 'e0', rule: 'r', chainLength: 1 });
    expect(await redis().ttl(`mdm-reflex:cause:of:${EVENT.id}`)).toBeGreaterThan(
      (await replayableS(retention)) + WAIT_AFTER_REPLAY_S,
    );
  });

  test('the state of a concurrency group, which also outlives the longest step', async () => {
    const groups = openConcurrencyGroups(singleShard(redis()), retention);
    await groups.requestSlot({ group: 'g', run: 'old', at: 1, mode: 'restart' });
    await groups.requestSlot({ group: 'g', run: 'new', at: 2, mode: 'restart' });
    const replayable = await replayableS(retention);
    for (const part of ['runs', 'slot', 'superseded', 'latest']) {
      const ttl = await redis().ttl(`mdm-reflex:group:g:${part}`);
      expect({ part, outlivesReplay: ttl > replayable + WAIT_AFTER_REPLAY_S }).toEqual({
        part,
        outlivesReplay: true,
      });
      expect({ part, outlivesStep: ttl > MAX_STEP_DAYS * DAY_S }).toEqual({ part, outlivesStep: true });
    }
  });
});

test('a step that looks at the claim of another step renews the claim, so that the next dead letter of its run is safe too', async () => {
  const retention = { repeatWindowDays: 7, deadLetterDays: 90 };
  const key = 'mdm-reflex:claim:default:script_job:341';
  await openClaims(singleShard(redis()), { account: 'default', step: 'other' }, retention)('script_job:341');
  await redis().expire(key, DAY_S);
  const claim = openClaims(singleShard(redis()), { account: 'default', step: 'in-doubt' }, retention);
  expect(await claim('script_job:341')).toBe(false);
  expect(await redis().ttl(key)).toBeGreaterThan((await replayableS(retention)) + 29 * DAY_S);
});

test('an event keeps its cause through later attempts, each of which renews the cause', async () => {
  const shard = singleShard(redis());
  const retention = { repeatWindowDays: 7, deadLetterDays: 90 };
  const cause = { event: 'e0', rule: 'r', chainLength: 1 };
  await expectEvent(shard, EVENT.type, 54, cause);
  await causeOf(shard, EVENT, retention);
  await redis().expire(`mdm-reflex:cause:of:${EVENT.id}`, DAY_S);
  expect(await causeOf(shard, EVENT, retention)).toEqual(cause);
  expect(await redis().ttl(`mdm-reflex:cause:of:${EVENT.id}`)).toBeGreaterThan(119 * DAY_S);
});

test('what unfinished work needs outlives the longest step', async () => {
  await registerEvents(singleShard(redis()), [EVENT]);
  const limits = openRunLimits(singleShard(redis()));
  const limit = { runs: 0, windowMs: 60_000, shared: false, reason: 'none' };
  await limits.admit({ account: 'default', rule: 'r', run: 'e.r', plannedAt: Date.now(), limits: [limit] });
  await limits.addBehind('default', 'r', 'f.r');
  const heldRunsTtl = await redis().ttl('mdm-reflex:held-runs:default:r');
  await limits.drop('default', 'r');
  const ttls = [
    heldRunsTtl,
    await redis().ttl('mdm-reflex:behind-earlier-runs:default:r'),
    await redis().ttl('mdm-reflex:event-order:default:54'),
    await redis().ttl('mdm-reflex:dropped:default:r'),
  ];
  for (const ttl of ttls) expect(ttl).toBeGreaterThan(MAX_STEP_DAYS * DAY_S);
});
