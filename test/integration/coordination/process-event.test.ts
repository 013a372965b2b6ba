import { beforeEach, expect, test } from '@jest/globals';
import { beginEvent } from '../../../src/coordination/process-event.js';
import { event as eventSchema } from '../../../src/events/envelope.js';
import { journalPrefix, shortId, traceKey } from '../../../src/journal/trace-keys.js';
import { openEventQueue } from '../../../src/queues/queues.js';
import { singleShard } from '../../../src/queues/shards.js';
import { useTestRedis } from '../../support/use-redis.js';

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const redis = useTestRedis();
beforeEach(() => redis().flushall());

test('an event that was processed and trimmed is not processed again when its worker died before it ended the job', async () => {
  const shard = singleShard(redis());
  const events = openEventQueue(shard, RETENTION);
  try {
    const at = '2026-01-01T00:00:00.000Z';
    const event = eventSchema.parse({
      id: 'e'.repeat(64),
      account: 'default',
      type: 'device.left',
      at,
      receivedAt: at,
      source: 'webhook',
      data: {},
    });
    const store = { shard, events, retention: RETENTION, redaction: { redact: (text: string) => text } };
    const begin = () => beginEvent(event, { state: 'processing', attempts: 1, at }, 'interactive', store);
    expect(await begin()).toMatchObject({ kind: 'begun' });
    // The janitor deletes the trace and remembers the id.
    const { prefix } = shard;
    await redis().del(traceKey(prefix, event.id));
    await redis().zadd(`${journalPrefix(prefix)}seen`, String(Date.now() / 1000 + 3600), shortId(event.id));
    expect(await begin()).toEqual({ kind: 'ended' });
    expect(await redis().exists(traceKey(prefix, event.id))).toBe(0);
  } finally {
    await events.close();
  }
});
