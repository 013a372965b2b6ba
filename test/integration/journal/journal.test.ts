import { expect, test } from '@jest/globals';
import { findTrace } from '../../../src/journal/find-events.js';
import { openJournal } from '../../../src/journal/journal.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { DAY_S } from '../../../src/queues/retention.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';
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
