import { beforeEach, describe, expect, test } from '@jest/globals';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { openJournal } from '../../../src/journal/journal.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { DAY_S } from '../../../src/queues/retention.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';
import { everythingIn } from '../../support/redis.js';
import { useTestRedis } from '../../support/use-redis.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();

const SECRET = 'a-secret-of-the-environment-4711';
const ID = 'e1'.repeat(32);
const EVENT = {
  id: ID,
  account: 'default',
  type: 'test_event',
  at: '2026-01-31T08:00:00Z',
  receivedAt: new Date().toISOString(),
  source: 'webhook' as const,
  data: {},
};

const journal = () =>
  openJournal(
    singleShard(redis()),
    { repeatWindowDays: 7, deadLetterDays: 90 },
    createRedaction([SECRET]).redact,
  );

test('the trace of a run that waits for a month outlives the wait', async () => {
  await journal().recordReceived([EVENT]);
  const inAMonth = new Date(Date.now() + 30 * DAY_S * 1000).toISOString();
  await journal().recordRun(ID, {
    rule: 'r',
    status: 'waiting',
    plannedAt: EVENT.receivedAt,
    steps: [{ action: 'wait', status: 'waiting', attempts: 1, calls: [], nextAttemptAt: inAMonth }],
  });
  for (const key of [traceKey(KEY_PREFIX, ID)]) expect(await redis().ttl(key)).toBeGreaterThan(36 * DAY_S);
});

test('secrets from the environment are masked in facts, wherever they come from', async () => {
  await journal().recordFact(ID, 'attributes', {
    status: 'found',
    value: { token: SECRET, department: 'Sales' },
    fetchedAt: EVENT.receivedAt,
    durationMs: 1,
    calls: [],
  });
  expect(await redis().hget(traceKey(KEY_PREFIX, ID), 'fact:attributes')).not.toContain(SECRET);
  const trace = await findTrace(openShards(redis()), ID);
  expect(trace?.facts['attributes']?.value).toEqual({ token: '[redacted]', department: 'Sales' });
});

describe('one round trip', () => {
  beforeEach(() => redis().flushall());

  const fact = (value: unknown) => ({
    status: 'found' as const,
    value,
    fetchedAt: EVENT.receivedAt,
    durationMs: 1,
    calls: [],
  });
  const decision = {
    rule: 'r',
    verdict: 'matched' as const,
    reason: 'it is',
    decidedAt: EVENT.receivedAt,
  };
  const run = { rule: 'r', status: 'completed' as const, plannedAt: EVENT.receivedAt, steps: [] };

  test('gives what earlier attempts have written, and starts a missing trace', async () => {
    expect(await journal().begin(EVENT)).toEqual({
      facts: new Map(),
      decisions: [],
      completedRules: new Set(),
    });
    expect((await findTrace(openShards(redis()), ID))?.status).toBe('queued');
    await journal().record(ID, {
      facts: [['device', fact({ name: 'Mac' })]],
      decisions: [decision],
      planned: [run, { ...run, rule: 'other', status: 'queued' }],
      processing: { state: 'completed', attempts: 1, at: EVENT.receivedAt },
    });
    expect(await journal().begin(EVENT)).toEqual({
      facts: new Map([['device', fact({ name: 'Mac' })]]),
      decisions: [decision],
      completedRules: new Set(['r']),
    });
    expect(await findTrace(openShards(redis()), ID)).toMatchObject({
      status: 'processing',
      deviceName: 'Mac',
      rules: ['other', 'r'],
    });
  });

  test('a trace that a worker had to start does not make its event a repeat', async () => {
    await journal().ensureTrace(EVENT);
    expect(await journal().recordReceived([EVENT, EVENT])).toEqual([true, false]);
  });

  test('a planned run does not replace one that has started', async () => {
    await journal().recordReceived([EVENT]);
    await journal().recordRun(ID, { ...run, status: 'failed' });
    await journal().recordPlanned(ID, [{ ...run, status: 'queued' }]);
    const filter = { status: 'failed' as const, limit: 5 };
    expect((await findEvents(openShards(redis()), filter)).events).toHaveLength(1);
  });

  test('a fact that a sweep records before the event makes its device known by name', async () => {
    const event = { ...EVENT, data: { device: { id: 7 } } };
    await journal().recordFact(ID, 'device', fact({ name: 'Lab iPad' }));
    expect(await journal().recordReceived([event])).toEqual([true]);
    const { events } = await findEvents(openShards(redis()), { device: 'lab', limit: 5 });
    expect(events).toMatchObject([{ id: ID, deviceName: 'Lab iPad' }]);
    expect(await redis().hget(traceKey(KEY_PREFIX, ID), 'name')).toBeNull();
  });

  test('secrets are masked before a reason or a name is folded for searches', async () => {
    const event = { ...EVENT, data: { device: { id: 7 } } };
    const upper = 'A-SECRET-in-Capitals-4711';
    const masking = openJournal(
      singleShard(redis()),
      { repeatWindowDays: 7, deadLetterDays: 90 },
      createRedaction([upper]).redact,
    );
    await masking.recordReceived([event]);
    await masking.record(ID, {
      facts: [['device', fact({ name: `Mac ${upper}` })]],
      processing: { state: 'failed', attempts: 1, at: EVENT.receivedAt, reason: `refused ${upper}` },
      runs: [{ ...run, reason: `told ${upper}` }],
    });
    expect((await everythingIn(redis())).toLowerCase()).not.toContain(upper.toLowerCase());
    const { events } = await findEvents(openShards(redis()), { reason: 'REFUSED [', limit: 5 });
    expect(events).toHaveLength(1);
  });
});

test('an alert does not recreate a trace that is gone', async () => {
  await redis().flushall();
  const alert = { id: 'a', channel: 'c', title: 't', status: 'sent' as const, at: EVENT.receivedAt };
  await journal().recordAlerts([{ ...alert, event: ID, account: 'default' }]);
  expect(await redis().keys('*')).toEqual([]);
});
