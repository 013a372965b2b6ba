import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Event } from '../../../src/events/envelope.js';
import { earlierWaiting, forget, noteSeen, noteWaiting } from '../../../src/journal/event-order.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';

let redis: TestRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startTestRedis();
  client = new Redis(redis.url);
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});
beforeEach(() => client.flushall());

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

test('the earlier of one device goes first, and whoever is done with it hears of the next', async () => {
  const early = event('z', AT);
  const late = event('a', '2026-01-31T08:00:00.001Z');
  await noteWaiting(client, [late, early]);
  expect(await earlierWaiting(client, late)).toBe('z');
  expect(await earlierWaiting(client, early)).toBeUndefined();
  expect(await noteSeen(client, early)).toBe('a');
  expect(await earlierWaiting(client, late)).toBeUndefined();
  expect(await noteSeen(client, late)).toBeUndefined();
});

test('of the same time the one that came first goes first, whatever their ids', async () => {
  const same = ['c', 'a', 'b'].map((id) => event(id, AT));
  for (const one of same) await noteWaiting(client, [one]);
  const order: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    for (const one of same) {
      if (order.includes(one.id) || (await earlierWaiting(client, one)) !== undefined) continue;
      order.push(one.id);
      await noteSeen(client, one);
      break;
    }
  }
  expect(order).toEqual(['c', 'a', 'b']);
});

test('devices do not wait for each other, nor does what is about none', async () => {
  await noteWaiting(client, [event('a', AT, { id: 1 })]);
  const later = '2026-01-31T09:00:00.000Z';
  expect(await earlierWaiting(client, event('b', later, { id: 2 }))).toBeUndefined();
  expect(await earlierWaiting(client, event('c', later, {}))).toBeUndefined();
});

test('what nobody will ever look at is taken out', async () => {
  const gone = event('gone', AT);
  const next = event('next', '2026-01-31T08:00:01.000Z');
  await noteWaiting(client, [gone, next]);
  expect(await forget(client, next, 'gone')).toBe('next');
  expect(await earlierWaiting(client, next)).toBeUndefined();
});
