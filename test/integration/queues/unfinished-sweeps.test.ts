import type { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectForWorkers } from '../../../src/queues/connection.js';
import { sweepJob } from '../../../src/queues/jobs.js';
import type { SweepJob } from '../../../src/queues/jobs.js';
import { openSweepQueue, SWEEPS } from '../../../src/queues/queues.js';
import { addSweep } from '../../../src/schedules/schedule-queue.js';
import { startWorker } from '../../../src/queues/worker.js';
import type { JobOutcome } from '../../../src/queues/job-outcome.js';
import type { RunningWorker } from '../../../src/queues/worker.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { singleShard } from '../../../src/queues/shards.js';

const logger = createLogger({ level: 'silent', redact: (text) => text });

let redis: TestRedis;
let connection: ReturnType<typeof connectForWorkers>;
let queue: Queue<SweepJob>;
let worker: RunningWorker | undefined;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  connection = connectForWorkers({ url: redis.url }, logger);
  await connection.flushall();
  queue = openSweepQueue(singleShard(connection), { repeatWindowDays: 7, deadLetterDays: 30, attempts: 2 });
});
afterEach(async () => {
  await worker?.close();
  worker = undefined;
  await queue.close();
  connection.disconnect();
});

/** A sweep of the rule `weekly`, for the tick with a number. */
const sweepOf = (tick: number, account = 'north'): SweepJob => ({
  rule: 'weekly',
  account,
  tick: { id: `repeat:weekly:${tick}`, at: new Date(tick).toISOString() },
});
const jobOf = (tick: number) => queue.getJob(`repeat.weekly.${tick}.north`);
const isIn = async (tick: number, state: string): Promise<boolean> =>
  (await (await jobOf(tick))?.getState()) === state;

/** Starts a worker. Each attempt calls the next function; the last function serves all further attempts. */
function work(...attempts: (() => Promise<JobOutcome>)[]): void {
  worker = startWorker({
    queue: SWEEPS,
    shard: singleShard(connection),
    schema: sweepJob,
    handle: () => (attempts.length > 1 ? attempts.shift() : attempts[0])?.() ?? done(),
    onAbandoned: () => Promise.resolve(),
    concurrency: 1,
    lockMs: 30_000,
    policy: { attempts: 2, baseMs: 1, maxMs: 1 },
    redact: (text) => text,
    metrics: createMetrics(),
    logger,
  });
}

const done = (): Promise<JobOutcome> => Promise.resolve({ kind: 'completed' });

test('ticks are skipped while a sweep of their rule and account is unfinished, other ticks are not', async () => {
  expect(await addSweep(queue, sweepOf(1))).toBe(true);
  expect(await addSweep(queue, sweepOf(2))).toBe(false);
  expect(await addSweep(queue, sweepOf(2, 'south'))).toBe(true);
  expect(await addSweep(queue, { ...sweepOf(2), rule: 'daily', tick: { id: 'daily:2', at: '' } })).toBe(true);
  expect(await queue.getWaitingCount()).toBe(3);
});

test('a tick that is processed twice starts one sweep, also after that has completed', async () => {
  expect(await addSweep(queue, sweepOf(1))).toBe(true);
  expect(await addSweep(queue, sweepOf(1))).toBe(true);
  work(done);
  await until('the sweep has completed', () => isIn(1, 'completed'));
  expect(await addSweep(queue, sweepOf(1))).toBe(true);
  expect(await queue.getJobCounts('waiting', 'active', 'completed')).toEqual({
    waiting: 0,
    active: 0,
    completed: 1,
  });
});

test('after a sweep has completed, the next one starts', async () => {
  await addSweep(queue, sweepOf(1));
  work(done);
  await until('the sweep has completed', () => isIn(1, 'completed'));
  expect(await addSweep(queue, sweepOf(2))).toBe(true);
});

test('ticks are skipped while a sweep waits for its account', async () => {
  await addSweep(queue, sweepOf(1));
  let isWaiting = true;
  work(() =>
    isWaiting
      ? Promise.resolve({
          kind: 'retry',
          at: Date.now() + 200,
          countsAttempt: false,
          reason: 'a refused key',
        })
      : done(),
  );
  await until('the sweep waits', () => isIn(1, 'delayed'));
  expect(await addSweep(queue, sweepOf(2))).toBe(false);
  isWaiting = false;
  await until('the sweep has completed', () => isIn(1, 'completed'));
  expect(await addSweep(queue, sweepOf(3))).toBe(true);
});

test('ticks are skipped after a stopping process has requeued a sweep', async () => {
  await addSweep(queue, sweepOf(1));
  let mayEnd = (): void => undefined;
  const secondAttempt = new Promise<void>((resolve) => (mayEnd = resolve));
  let attempts = 0;
  work(async () => {
    attempts += 1;
    if (attempts === 1) return { kind: 'requeue', reason: 'the process stops' };
    await secondAttempt;
    return { kind: 'completed' };
  });
  await until('the second attempt starts', () => attempts === 2);
  expect(await addSweep(queue, sweepOf(2))).toBe(false);
  mayEnd();
  await until('the sweep has completed', () => isIn(1, 'completed'));
  expect(await addSweep(queue, sweepOf(3))).toBe(true);
});

test('after a sweep has failed, the next one starts', async () => {
  await addSweep(queue, sweepOf(1));
  work(() => Promise.resolve({ kind: 'failed', reason: 'a missing permission', code: 'api/forbidden' }));
  await until('the sweep has failed', () => isIn(1, 'failed'));
  expect(await addSweep(queue, sweepOf(2))).toBe(true);
});

test('after a sweep has used up its attempts, the next one starts, and not before', async () => {
  await addSweep(queue, sweepOf(1));
  const skipped: boolean[] = [];
  work(async () => {
    skipped.push(!(await addSweep(queue, sweepOf(2))));
    throw new Error('no answer');
  });
  await until('the sweep has failed', () => isIn(1, 'failed'));
  expect(skipped).toEqual([true, true]);
  expect(await addSweep(queue, sweepOf(3))).toBe(true);
});

test('after a sweep was removed, the next one starts', async () => {
  await addSweep(queue, sweepOf(1));
  await (await jobOf(1))?.remove();
  expect(await addSweep(queue, sweepOf(2))).toBe(true);
});

test('after the job of a sweep was lost in a Redis outage, the next one starts', async () => {
  await addSweep(queue, sweepOf(1));
  await connection.del('mdm-reflex:sweeps:repeat.weekly.1.north');
  expect(await addSweep(queue, sweepOf(2))).toBe(true);
});
