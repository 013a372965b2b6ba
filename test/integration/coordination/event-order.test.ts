import { beforeEach, expect, test } from '@jest/globals';
import type { Event } from '../../../src/events/envelope.js';
import { removeEvent } from '../../../src/coordination/event-order.js';
import { completeEvent, earlierEvent, registerEvents } from '../../support/register-events.js';
import { useTestRedis } from '../../support/use-redis.js';
import { singleShard } from '../../../src/queues/shards.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const event = (id: string, at: string, device: Record<string, unknown> = { id: 54 }): Event => ({
  id,
  account: 'default',
  type: 'acme.event',
  at,
  receivedAt: at,
  source: 'webhook',
  data: { device },
});
const AT = '2026-01-31T08:00:00.000Z';

test('the earlier event of a device goes first, and completing it returns the next one', async () => {
  const early = event('z', AT);
  const late = event('a', '2026-01-31T08:00:00.001Z');
  await registerEvents(singleShard(redis()), [late, early]);
  expect(await earlierEvent(singleShard(redis()), late)).toBe('z');
  expect(await earlierEvent(singleShard(redis()), early)).toBeUndefined();
  expect(await completeEvent(singleShard(redis()), early)).toBe('a');
  expect(await earlierEvent(singleShard(redis()), late)).toBeUndefined();
  expect(await completeEvent(singleShard(redis()), late)).toBeUndefined();
});

test('of events with the same time, the first to arrive goes first, whatever its id', async () => {
  const same = ['c', 'a', 'b'].map((id) => event(id, AT));
  for (const one of same) await registerEvents(singleShard(redis()), [one]);
  const order: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (const one of same) {
      if (order.includes(one.id) || (await earlierEvent(singleShard(redis()), one)) !== undefined) continue;
      order.push(one.id);
      await completeEvent(singleShard(redis()), one);
      break;
    }
  }
  expect(order).toEqual(['c', 'a', 'b']);
});

test('events of another device, or of none, do not wait', async () => {
  await registerEvents(singleShard(redis()), [event('a', AT, { id: 1 })]);
  const later = '2026-01-31T09:00:00.000Z';
  expect(await earlierEvent(singleShard(redis()), event('b', later, { id: 2 }))).toBeUndefined();
  expect(await earlierEvent(singleShard(redis()), event('c', later, {}))).toBeUndefined();
});

test('removing an event whose job is gone returns the next one', async () => {
  const gone = event('gone', AT);
  const next = event('next', '2026-01-31T08:00:01.000Z');
  await registerEvents(singleShard(redis()), [gone, next]);
  expect(await removeEvent(singleShard(redis()), next, 'gone')).toBe('next');
  expect(await earlierEvent(singleShard(redis()), next)).toBeUndefined();
});
