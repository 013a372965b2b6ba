import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MAX_EVENTS_PER_SCRIPT, enqueueEvents } from '../../../src/coordination/enqueue-events.js';
import { openShardStores } from '../../../src/coordination/shard-stores.js';
import type { ShardStore, ShardStores } from '../../../src/coordination/shard-stores.js';
import type { Event } from '../../../src/events/envelope.js';
import { fingerprint } from '../../../src/events/fingerprint.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { eventJob } from '../../../src/queues/jobs.js';
import { openShards } from '../../../src/queues/shards.js';
import { earlierEvent } from '../../support/register-events.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
const retention = { repeatWindowDays: 7, deadLetterDays: 90, attempts: 8 };
let stores: ShardStores;
let store: ShardStore;

beforeEach(async () => {
  await redis().flushall();
  stores = openShardStores(openShards(redis()), retention, (text) => text);
  store = stores.of('default');
});
afterEach(() => stores.close());

function event(number: number, data: Record<string, unknown> = { device: { id: 54 } }): Event {
  const webhook = { type: 'device.enrolled', at: new Date(1_700_000_000_000 + number).toISOString(), data };
  return {
    ...webhook,
    id: fingerprint('default', webhook),
    account: 'default',
    receivedAt: '2026-01-01T12:00:00.000Z',
    source: 'webhook',
  };
}

const keyOfTrace = ({ id }: Event): string => traceKey(store.shard.prefix, id);

test('a new event gets its place in the order of its device, a job and a trace, in one step', async () => {
  const [first, second] = [event(1), event(2, { device: { id: 54, name: 'Zoë\u2028"' } })];
  expect(await enqueueEvents([second, first], store)).toEqual([true, true]);
  expect(await earlierEvent(store.shard, second)).toBe(first.id);
  const job = await store.events.getJob(second.id);
  expect(eventJob.parse(job?.data)).toEqual({ event: second });
  expect(job).toMatchObject({
    name: 'device.enrolled',
    priority: 0,
    opts: { attempts: 8, jobId: second.id },
  });
  expect(await redis().hget(keyOfTrace(second), 'event')).toBe(JSON.stringify(second));
  expect(await store.events.getWaitingCount()).toBe(2);
});

test('a repeated event changes nothing, in the same batch and later', async () => {
  const one = event(1);
  expect(await enqueueEvents([one, one], store)).toEqual([true, false]);
  expect(await enqueueEvents([one], store)).toEqual([false]);
  expect(await store.events.getWaitingCount()).toBe(1);
});

test('a repeat of an event whose job is finished and gone adds no job and no place in the order', async () => {
  const one = event(1);
  await enqueueEvents([one], store);
  await (await store.events.getJob(one.id))?.remove();
  await redis().del(`${store.shard.prefix}:event-order:default:54`);
  expect(await enqueueEvents([one], store)).toEqual([false]);
  expect(await store.events.getJob(one.id)).toBeUndefined();
  expect(await earlierEvent(store.shard, event(2))).toBeUndefined();
});

test('a repeat of an event whose trace is gone restores the trace and adds no second job', async () => {
  const one = event(1);
  await enqueueEvents([one], store);
  await redis().del(keyOfTrace(one));
  expect(await enqueueEvents([one], store)).toEqual([false]);
  expect(await store.events.getWaitingCount()).toBe(1);
  expect(await redis().hget(keyOfTrace(one), 'event')).toBe(JSON.stringify(one));
});

test('an event without a device has no order', async () => {
  const one = event(1, {});
  expect(await enqueueEvents([one], store)).toEqual([true]);
  expect(await redis().keys('*event-order*')).toEqual([]);
});

test('more events than a script takes are all enqueued, in their order', async () => {
  const events = Array.from({ length: MAX_EVENTS_PER_SCRIPT * 2 + 1 }, (_, number) =>
    event(number, { device: { id: number + 1 } }),
  );
  expect(await enqueueEvents(events, store)).toEqual(events.map(() => true));
  // Those beyond the window of the account are in the backlog.
  const counts = await store.events.getJobCounts('waiting', 'delayed');
  expect((counts['waiting'] ?? 0) + (counts['delayed'] ?? 0)).toBe(events.length);
  expect((await store.events.getJobs(['waiting'], 0, 0, true))[0]?.id).toBe(events[0]?.id);
});

test('an event of the bulk lane has a priority, and its job knows the lane', async () => {
  const one = event(1);
  await enqueueEvents([one], store, 'bulk');
  const job = await store.events.getJob(one.id);
  expect(job?.priority).toBe(1);
  expect(eventJob.parse(job?.data)).toEqual({ event: one, lane: 'bulk' });
  expect(await store.events.getJobState(one.id)).toBe('prioritized');
});

test('a Redis that has forgotten its scripts gets the text again', async () => {
  await enqueueEvents([event(1)], store);
  await redis().script('FLUSH');
  expect(await enqueueEvents([event(2)], store)).toEqual([true]);
});
