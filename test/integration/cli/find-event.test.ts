import { beforeAll, expect, test } from '@jest/globals';
import { showEvent } from '../../../src/cli/events.js';
import { openJournal } from '../../../src/journal/journal.js';
import { useTestRedis } from '../../support/use-redis.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();

const ONE = `abcdef${'1'.repeat(58)}`;
const OTHER = `abcdef${'2'.repeat(58)}`;
const show = (id: string): Promise<string> =>
  showEvent(openShards(redis()), id, false, (_style, text) => text);

beforeAll(async () => {
  const now = new Date().toISOString();
  const event = {
    account: 'default',
    type: 'test_event',
    at: now,
    receivedAt: now,
    source: 'webhook' as const,
    data: {},
  };
  const journal = openJournal(
    singleShard(redis()),
    { repeatWindowDays: 7, deadLetterDays: 90 },
    (text) => text,
  );
  await journal.recordReceived([ONE, OTHER].map((id) => ({ ...event, id })));
});

test.each([ONE, ONE.slice(0, 7)])('an id, or the start of only one id, finds the event: %s', async (id) => {
  expect(await show(id)).toContain(`test_event  queued  ${ONE.slice(0, 12)}`);
});

test('the start of several ids is ambiguous', async () => {
  await expect(show('abcdef')).rejects.toThrow(
    'the ids of 2 events start with "abcdef"; give more characters of the id [cli/ambiguous-id]',
  );
});

test.each(['abcdef3', 'abcde', 'no-id', '0'.repeat(64)])('no event: %s', async (id) => {
  await expect(show(id)).rejects.toThrow(
    `there is no event "${id}"; "mdm-reflex events" lists the events (the first six characters of an id are enough) [cli/unknown-event]`,
  );
});
