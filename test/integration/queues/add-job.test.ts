/** Our Lua against BullMQ itself: both write every key of a queue in the same way, so a change of BullMQ's format fails here. */
import { afterEach, expect, test } from '@jest/globals';
import { Worker } from 'bullmq';
import type { Job, JobsOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ADD_JOB_LUA, jobKeyPrefix, storedJobOptions } from '../../../src/queues/add-job.js';
import { BACKLOG_DELAY_MS } from '../../../src/queues/backlog-delay.js';
import { openEventQueue } from '../../../src/queues/queues.js';
import { defineScript, runScript } from '../../../src/queues/script.js';
import { until } from '../../support/until.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
const retention = { repeatWindowDays: 7, deadLetterDays: 90, attempts: 8 };

/** KEYS: a key of the queue. ARGV: key prefix, options; for each job: id, name, data, timestamp, delay, priority. */
const ADD = defineScript(`${ADD_JOB_LUA}
  local queue = open_queue(ARGV[1])
  for i = 3, #ARGV, 6 do
    add_job(queue, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[2], ARGV[i + 3], tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5]))
  end
`);
/** The same, with writes that are collected for the whole batch. */
const ADD_BATCH = defineScript(`${ADD_JOB_LUA}
  local queue = open_queue(ARGV[1])
  collect_jobs(queue, collected_writes())
  for i = 3, #ARGV, 6 do
    add_job(queue, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[2], ARGV[i + 3], tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5]))
  end
  flush_jobs(queue)
`);
/** KEYS: a key of the queue. ARGV: key prefix, job. */
const RELEASE = defineScript(`${ADD_JOB_LUA} return release_job(open_queue(ARGV[1]), ARGV[2]) and 1 or 0`);
/** KEYS: a key of the queue. ARGV: key prefix, job. */
const HAS = defineScript(`${ADD_JOB_LUA} return has_job(open_queue(ARGV[1]), ARGV[2]) and 1 or 0`);

let queues: Queue[] = [];
const connections: Redis[] = [];

/** The same queue twice: one for BullMQ, one for our Lua. */
async function openTwo(): Promise<readonly [theirs: Queue, ours: Queue]> {
  const [theirs, ours] = ['bullmq', 'lua'].map((prefix): Queue => {
    return openEventQueue({ redis: redis(), prefix }, retention);
  });
  if (theirs === undefined || ours === undefined) throw new Error('two queues');
  queues = [theirs, ours];
  await Promise.all(queues.map((queue) => queue.waitUntilReady()));
  return [theirs, ours];
}

afterEach(async () => {
  connections.splice(0).forEach((connection) => connection.disconnect());
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
  await redis().flushall();
});

function workerConnection(): Redis {
  const connection = redis().duplicate({ maxRetriesPerRequest: null });
  connections.push(connection);
  return connection;
}

/** BullMQ's type does not say that there may be none. */
const nextJob = (worker: Worker): Promise<Job | undefined> => worker.getNextJob('token', { block: false });

const jobs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `event-${index}`,
    name: 'device.enrolled',
    data: { event: { id: `event-${index}`, data: { name: 'Zoë "1"\u2028' } } },
  }));

/** Adds the same jobs to both queues, at the same time. */
async function addToBoth(
  [theirs, ours]: readonly [Queue, Queue],
  options: Pick<JobsOptions, 'delay' | 'priority'>,
  count = 3,
): Promise<void> {
  const timestamp = Date.now();
  for (const { id, name, data } of jobs(count)) {
    const job = await theirs.addBulk([{ name, data, opts: { ...options, jobId: id } }]);
    const at = job[0]?.timestamp ?? timestamp;
    await runScript(
      redis(),
      ADD,
      [`${jobKeyPrefix(ours)}meta`],
      [
        jobKeyPrefix(ours),
        storedJobOptions(ours, options),
        ...[id, name, JSON.stringify(data), at, options.delay ?? 0, options.priority ?? 0],
      ],
    );
  }
}

const run = (script: typeof HAS, queue: Queue, id: string): Promise<unknown> =>
  runScript(redis(), script, [`${jobKeyPrefix(queue)}meta`], [jobKeyPrefix(queue), id]);

/** Every key of a queue with its content, without the stream of its events, which nobody reads. */
async function contentOf(queue: Queue): Promise<Record<string, unknown>> {
  const prefix = jobKeyPrefix(queue);
  const content: Record<string, unknown> = {};
  for (const key of (await redis().keys(`${prefix}*`)).sort()) {
    if (key === `${prefix}events`) continue;
    content[key.slice(prefix.length)] = await valueOf(key);
  }
  return content;
}

async function valueOf(key: string): Promise<unknown> {
  switch (await redis().type(key)) {
    case 'string':
      return redis().get(key);
    case 'list':
      return redis().lrange(key, 0, -1);
    case 'zset':
      return redis().zrange(key, '0', '-1', 'WITHSCORES');
    case 'hash': {
      const { opts, ...fields } = await redis().hgetall(key);
      const options: unknown = opts === undefined ? undefined : JSON.parse(opts);
      return { ...fields, options };
    }
    default:
      throw new Error(`${key} has a type that this test does not compare`);
  }
}

async function expectEqual([theirs, ours]: readonly [Queue, Queue]): Promise<Record<string, unknown>> {
  const expected = await contentOf(theirs);
  expect(await contentOf(ours)).toEqual(expected);
  return expected;
}

test('a job in the state "wait"', async () => {
  const both = await openTwo();
  await addToBoth(both, {});
  const content = await expectEqual(both);
  expect(Object.keys(content)).toEqual(['event-0', 'event-1', 'event-2', 'id', 'marker', 'meta', 'wait']);
  expect(await both[1].getWaitingCount()).toBe(3);
});

test('a job in the state "prioritized"', async () => {
  const both = await openTwo();
  await addToBoth(both, { priority: 1 });
  const content = await expectEqual(both);
  expect(content).toHaveProperty('prioritized');
  expect(content).toHaveProperty('pc', '3');
});

test.each([{ delay: 3_600_000 }, { delay: 3_600_000, priority: 1 }])(
  'a job in the state "delayed": %p',
  async (options) => {
    const both = await openTwo();
    await addToBoth(both, options);
    const content = await expectEqual(both);
    expect(content).toHaveProperty('delayed');
    expect(await both[1].getDelayedCount()).toBe(3);
  },
);

test.each([
  { how: 'one by one', script: ADD, delay: 60_000 },
  { how: 'as a batch', script: ADD_BATCH, delay: 60_000 },
  { how: 'as a batch', script: ADD_BATCH, delay: 0 },
])('several jobs that are due in the same millisecond keep their order: $how, $delay ms', async (given) => {
  const { script, delay } = given;
  const both = await openTwo();
  const [theirs, ours] = both;
  const timestamp = Date.now();
  const options = { delay };
  await theirs.addBulk(
    jobs(5).map(({ id, name, data }) => ({ name, data, opts: { ...options, timestamp, jobId: id } })),
  );
  await runScript(
    redis(),
    script,
    [`${jobKeyPrefix(ours)}meta`],
    [
      jobKeyPrefix(ours),
      storedJobOptions(ours, options),
      ...jobs(5).flatMap(({ id, name, data }) => [id, name, JSON.stringify(data), timestamp, delay, 0]),
    ],
  );
  const [expected, content] = [await contentOf(theirs), await contentOf(ours)];
  for (const key of ['delayed', 'wait', 'id', 'marker']) {
    expect(content[key]).toEqual(expected[key]);
  }
});

test('in a paused queue, no worker is woken', async () => {
  const both = await openTwo();
  for (const queue of both) await queue.pause();
  await addToBoth(both, {});
  expect(await expectEqual(both)).not.toHaveProperty('marker');
});

test('a queue that has as many active jobs as it may have wakes no worker', async () => {
  const both = await openTwo();
  for (const queue of both) {
    await queue.add('earlier', {}, { jobId: 'earlier', timestamp: 1_700_000_000_000 });
    await queue.setGlobalConcurrency(1);
    const worker = new Worker(queue.name, null, {
      connection: workerConnection(),
      prefix: queue.opts.prefix ?? '',
    });
    await worker.waitUntilReady();
    expect((await nextJob(worker))?.id).toBe('earlier');
    await worker.close(true);
    await redis().del(`${jobKeyPrefix(queue)}marker`);
  }
  await addToBoth(both, {});
  for (const queue of both) {
    expect(await contentOf(queue)).not.toHaveProperty('marker');
    expect(await queue.getWaitingCount()).toBe(3);
  }
});

test('a job for the backlog is delayed, and wakes no worker', async () => {
  const [, ours] = await openTwo();
  const at = Date.now();
  const values = ['event-0', 'device.enrolled', '{}', at, BACKLOG_DELAY_MS, 0];
  const prefix = jobKeyPrefix(ours);
  await runScript(redis(), ADD, [`${prefix}meta`], [prefix, storedJobOptions(ours), ...values]);
  expect(await ours.getJobState('event-0')).toBe('delayed');
  expect((await ours.getJob('event-0'))?.delay).toBe(BACKLOG_DELAY_MS);
  expect(await contentOf(ours)).not.toHaveProperty('marker');
  expect(await run(RELEASE, ours, 'event-0')).toBe(1);
  expect(await ours.getJobState('event-0')).toBe('waiting');
  expect(await contentOf(ours)).toHaveProperty('marker');
});

test.each([
  [{ delay: 3_600_000 }, 'waiting'],
  [{ delay: 3_600_000, priority: 1 }, 'prioritized'],
])('a delayed job that is released: %p', async (options, state) => {
  const both = await openTwo();
  const [theirs, ours] = both;
  await addToBoth(both, options);
  await (await theirs.getJob('event-1'))?.promote();
  expect(await run(RELEASE, ours, 'event-1')).toBe(1);
  await expectEqual(both);
  expect(await ours.getJobState('event-1')).toBe(state);
});

test('a job that is not delayed is not released', async () => {
  const [, ours] = await openTwo();
  await ours.add('device.enrolled', {}, { jobId: 'event-1' });
  const before = await contentOf(ours);
  expect(await run(RELEASE, ours, 'event-1')).toBe(0);
  expect(await run(RELEASE, ours, 'missing')).toBe(0);
  expect(await contentOf(ours)).toEqual(before);
});

test('a queue has the jobs that BullMQ added', async () => {
  const [, ours] = await openTwo();
  await ours.add('device.enrolled', {}, { jobId: 'event-1' });
  expect(await run(HAS, ours, 'event-1')).toBe(1);
  expect(await run(HAS, ours, 'missing')).toBe(0);
});

test('a worker of BullMQ processes the jobs', async () => {
  const both = await openTwo();
  const [, ours] = both;
  await addToBoth(both, {}, 1);
  const processed: unknown[] = [];
  const worker = new Worker(ours.name, (job) => Promise.resolve(processed.push(job.data)), {
    connection: workerConnection(),
    prefix: ours.opts.prefix ?? '',
  });
  await until('the job has left the queue', async () => (await ours.getJob('event-1')) === undefined);
  await worker.close();
  expect(processed).toEqual([jobs(1)[0]?.data]);
});
