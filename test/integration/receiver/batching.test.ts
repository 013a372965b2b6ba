import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Queue } from 'bullmq';
import type { Event } from '../../../src/events/envelope.js';
import { fingerprint } from '../../../src/events/fingerprint.js';
import { openShardStores } from '../../../src/coordination/shard-stores.js';
import { KEY_PREFIX, connectForRequests } from '../../../src/queues/connection.js';
import type { EventJob } from '../../../src/queues/jobs.js';
import { openEventQueue } from '../../../src/queues/queues.js';
import { createIntake } from '../../../src/receiver/intake.js';
import type { Intake } from '../../../src/receiver/intake.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { until } from '../../support/until.js';
import { HOOK, enrolled, send, startReceiver, startReceiverWorld, acceptedFrom } from './receiver.js';
import type { ReceiverWorld } from './receiver.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';
import type { RedisClient } from '../../../src/queues/shards.js';

const retention = { repeatWindowDays: 7, deadLetterDays: 90, attempts: 1 };
let world: ReceiverWorld;
let requests: RedisClient;
let queue: Queue<EventJob>;
let intake: Intake;

beforeAll(async () => {
  world = await startReceiverWorld();
  requests = connectForRequests(
    { url: world.redis.url },
    createLogger({ level: 'silent', redact: (text) => text }),
  );
  queue = openEventQueue(singleShard(requests), retention);
  intake = createIntake(openShardStores(openShards(requests), retention, (text) => text));
  await until('the connection is ready', () => requests.status === 'ready');
  // The scripts are loaded with the first event.
  await intake(eventOf(1));
});

afterEach(() => world.clear());

afterAll(async () => {
  await queue.close();
  requests.disconnect();
  await world.stop();
});

function eventOf(id: number): Event {
  const webhook = enrolled(id);
  return {
    ...webhook,
    id: fingerprint('default', webhook),
    account: 'default',
    receivedAt: new Date().toISOString(),
    source: 'webhook',
  };
}

/** How often Redis has read from a socket: each round trip of a client is at least one read. */
async function reads(): Promise<number> {
  const stats = await world.client.info('stats');
  return Number(/total_reads_processed:(\d+)/.exec(stats)?.[1]);
}

async function readsDuring(task: () => Promise<unknown>): Promise<number> {
  const before = await reads();
  await task();
  return (await reads()) - before;
}

test('events of the same tick share round trips to Redis: a hundred need about as many as one', async () => {
  const oneByOne = await readsDuring(async () => {
    for (let id = 100; id < 150; id += 1) await intake(eventOf(id));
  });
  const together = await readsDuring(() =>
    Promise.all(Array.from({ length: 100 }, (_, index) => intake(eventOf(200 + index)))),
  );
  expect(oneByOne).toBeGreaterThanOrEqual(50);
  // The script with a hundred events is longer than one read of Redis (16 KiB).
  expect(together).toBeLessThan(25);
});

test('one script stores all events of one tick', async () => {
  const watcher = new Redis(world.redis.url);
  const monitor = await watcher.monitor();
  const scripts: string[] = [];
  let jobs = 0;
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (args.some((arg) => arg === eventOf(400).id) && /^evalsha$/i.test(args[0] ?? '')) scripts.push(source);
    if (args[0]?.toLowerCase() === 'hmset') jobs += 1;
  });
  await Promise.all(Array.from({ length: 30 }, (_, index) => intake(eventOf(400 + index))));
  await until('the monitor has all commands', () => jobs >= 30);
  monitor.disconnect();
  watcher.disconnect();
  expect(scripts).toHaveLength(1);
});

test('repeated events within one tick: the first is new, the others are duplicates', async () => {
  const event = eventOf(500);
  const results = await Promise.all([
    intake(event),
    intake({ ...event }),
    intake(eventOf(501)),
    intake(event),
  ]);
  expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, false, true]);
  expect(await world.queued()).toHaveLength(2);
});

test('more events in one tick than a batch holds', async () => {
  const results = await Promise.all(
    Array.from({ length: 1201 }, (_, index) => intake(eventOf(1000 + index))),
  );
  expect(results.filter(({ duplicate }) => duplicate)).toEqual([]);
  const inFlight = (await world.queue.getJobs(['waiting'], 0, -1, true)).map(({ data }) => data.event.id);
  // BullMQ has the jobs of the backlog as delayed, in no order: the backlog has its own.
  const backlog = `${KEY_PREFIX}:backlog:events:waiting:interactive:default`;
  expect([...inFlight, ...(await world.client.zrange(backlog, '0', '-1'))]).toEqual(
    Array.from({ length: 1201 }, (_, index) => eventOf(1000 + index).id),
  );
});

test('an event that is processed or completed is still recognized as a duplicate', async () => {
  const event = eventOf(600);
  await intake(event);
  const [job] = await world.queue.getJobs(['waiting']);
  await job?.remove();
  // As after the queue has removed the finished job: the journal still has the event.
  expect(await intake(event)).toEqual({ duplicate: true });
});

test('two hundred concurrent posts, every event four times: exactly fifty jobs, each reported as new once', async () => {
  const bodies = Array.from({ length: 200 }, (_, index) => JSON.stringify(enrolled(3000 + (index % 50))));
  const replies = await Promise.all(bodies.map((body) => send(world.url, HOOK, { body })));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
  const results = replies.map(({ text }) => acceptedFrom(text));
  expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(50);
  const queued = await world.queued();
  expect(queued).toHaveLength(50);
  expect(new Set(queued.map(({ id }) => id))).toEqual(new Set(results.map(({ id }) => id)));
  expect(queued.map(({ data }) => data)).toEqual(
    expect.arrayContaining(Array.from({ length: 50 }, (_, index) => enrolled(3000 + index).data)),
  );
});

test('two receivers on one Redis: an event that both receive is one job', async () => {
  const other = await startReceiver(world.redis.url);
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      send(index % 2 === 0 ? world.url : other.url, HOOK, {
        body: JSON.stringify(enrolled(4000 + Math.floor(index / 2))),
      }),
    ),
  );
  await other.stop();
  expect(replies.filter(({ text }) => !acceptedFrom(text).duplicate)).toHaveLength(20);
  expect(await world.queued()).toHaveLength(20);
});
