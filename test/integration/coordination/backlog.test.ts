import type { Queue } from 'bullmq';
import { beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { openBacklog } from '../../../src/coordination/backlog.js';
import type { Backlog, BacklogJob } from '../../../src/coordination/backlog.js';
import { openConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import { readBacklog } from '../../../src/coordination/read-backlog.js';
import { inLane, runJob } from '../../../src/queues/jobs.js';
import type { EventJob, Lane, RunJob } from '../../../src/queues/jobs.js';
import { openEventQueue, openRunQueue, runId, wakeJob } from '../../../src/queues/queues.js';
import { singleShard } from '../../../src/queues/shards.js';
import { enqueueRuns } from '../../support/enqueue-runs.js';
import { useTestRedis } from '../../support/use-redis.js';

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const TOKEN = 'token of the worker';

const redis = useTestRedis();
let events: Queue<EventJob>;
let runs: Queue<RunJob>;
let backlog: Backlog;

beforeEach(async () => {
  await redis().flushall();
  events = openEventQueue(singleShard(redis()), RETENTION);
  runs = openRunQueue(singleShard(redis()), RETENTION);
  backlog = openBacklog(singleShard(redis()), 'runs');
});
afterEach(() => Promise.all([events.close(), runs.close()]));

interface Added {
  readonly account?: string;
  readonly lane?: Lane;
  readonly rule?: string;
}

/** Enqueues the run of a rule for the event with a name. Returns it as the backlog sees it. */
async function add(event: string, { account = 'north', lane = 'interactive', rule = 'welcome' }: Added = {}) {
  const at = '2026-01-01T00:00:00.000Z';
  const job = runJob.parse({
    event: { id: event, account, type: 'device.enrolled', at, receivedAt: at, source: 'webhook', data: {} },
    rule: { id: rule, on: ['device.enrolled'], enabled: true, do: [] },
    steps: [],
    plannedAt: at,
    ...inLane(lane),
  });
  const shard = singleShard(redis());
  await enqueueRuns([job], {
    shard,
    events,
    runs,
    groups: openConcurrencyGroups(shard, RETENTION),
    retention: RETENTION,
  });
  return { id: runId(event, rule), account, lane, turn: rule, at: Date.now() } satisfies BacklogJob;
}

async function addMany(count: number, name: string, of: Added = {}): Promise<BacklogJob[]> {
  const jobs: BacklogJob[] = [];
  for (let n = 1; n <= count; n += 1) jobs.push(await add(`${name}${n}`, of));
  return jobs;
}

/** The jobs that workers would take, in the order in which they would. */
async function inFlight(): Promise<string[]> {
  const wait = await redis().lrange('mdm-reflex:runs:wait', '0', '-1');
  const prioritized = await redis().zrange('mdm-reflex:runs:prioritized', '0', '-1');
  return [...wait.toReversed(), ...prioritized];
}

/** Takes the first job, as BullMQ does. */
async function start({ id }: BacklogJob): Promise<void> {
  await redis().lrem('mdm-reflex:runs:wait', '0', id);
  await redis().zrem('mdm-reflex:runs:prioritized', id);
  await redis().lpush('mdm-reflex:runs:active', id);
  await redis().set(`mdm-reflex:runs:${id}:lock`, TOKEN);
}

/** Starts a job and ends it. */
async function run(job: BacklogJob): Promise<void> {
  await start(job);
  await backlog.leave(job, TOKEN);
  await redis().lrem('mdm-reflex:runs:active', '0', job.id);
  await redis().del(`mdm-reflex:runs:${job.id}`, `mdm-reflex:runs:${job.id}:lock`);
}

/** Runs the job that workers would take, again and again. Returns the order. */
async function runAll(jobs: readonly BacklogJob[]): Promise<string[]> {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const order: string[] = [];
  for (;;) {
    const next = byId.get((await inFlight())[0] ?? '');
    if (next === undefined) return order;
    order.push(next.id);
    await run(next);
  }
}

const countKeys = async (): Promise<string[]> =>
  (await redis().keys('mdm-reflex:backlog:*')).filter(
    (key) => !/:(turn|arrivals|checked|compared)$/.test(key),
  );

describe('interactive jobs', () => {
  test('an account has 24 jobs in flight, and the others follow in their order', async () => {
    const jobs = await addMany(30, 'e');
    expect(await inFlight()).toEqual(jobs.slice(0, 24).map(({ id }) => id));
    expect(await runs.getDelayedCount()).toBe(6);
    expect(await runAll(jobs)).toEqual(jobs.map(({ id }) => id));
    expect(await countKeys()).toEqual([]);
  });

  test('a long backlog of one account leaves the next job of another in flight', async () => {
    await addMany(40, 'flood');
    const other = await add('other', { account: 'south' });
    expect((await inFlight()).at(-1)).toBe(other.id);
  });

  test('the more accounts have a backlog, the fewer jobs of each are in flight, but never less than four', async () => {
    for (let account = 1; account <= 100; account += 1)
      await addMany(25, `a${account}-`, { account: `a${account}` });
    expect(await redis().scard('mdm-reflex:backlog:runs:in-flight:interactive:a100')).toBe(4);
  });

  test('a job that is enqueued again stays once', async () => {
    await addMany(25, 'e');
    await add('e25');
    await add('e1');
    expect(await readBacklog(singleShard(redis()))).toMatchObject([{ waiting: 1, inFlight: 24 }]);
    expect(await inFlight()).toHaveLength(24);
  });
});

describe('bulk jobs', () => {
  const bulk = { lane: 'bulk' } as const;

  test('workers take every interactive job before the first bulk job', async () => {
    await addMany(10, 'b', bulk);
    const interactive = await add('i');
    expect((await inFlight())[0]).toBe(interactive.id);
  });

  test('rules take turns: the first run of a rule does not wait for the runs of another', async () => {
    const slow = await addMany(50, 'x', { ...bulk, rule: 'slow' });
    const quick = await addMany(3, 'y', { ...bulk, rule: 'quick' });
    const order = await runAll([...slow, ...quick]);
    const positions = quick.map(({ id }) => order.indexOf(id));
    // Eight runs were in flight; then the rules alternate.
    expect(positions).toEqual([9, 11, 13]);
    expect(order.filter((id) => id.endsWith('.slow'))).toEqual(slow.map(({ id }) => id));
    expect(order).toHaveLength(53);
    expect(await countKeys()).toEqual([]);
  });

  test('accounts take turns, and 64 jobs are in flight', async () => {
    for (let account = 1; account <= 10; account += 1)
      await addMany(10, `a${account}-`, { ...bulk, account: `a${account}` });
    const first = await inFlight();
    expect(first).toHaveLength(64);
    // The ninth and the tenth account found no place. The first places that are free are theirs.
    expect(first.filter((id) => id.startsWith('a9-') || id.startsWith('a10-'))).toEqual([]);
    const jobOf = (id: string): BacklogJob => ({
      id,
      lane: 'bulk',
      account: id.split('-')[0] ?? '',
      turn: 'welcome',
      at: 0,
    });
    for (const id of first.slice(0, 10)) await run(jobOf(id));
    const released = (await inFlight()).slice(54).map((id) => id.split('-')[0]);
    // Those with room take turns: the others have eight jobs in flight.
    expect(released.slice(0, 3)).toEqual(['a1', 'a9', 'a10']);
  });
});

describe('a job that was delayed', () => {
  test('goes on when its account has room', async () => {
    const job = await add('e');
    await start(job);
    await backlog.leave(job, TOKEN);
    expect(await backlog.askAgain(job, TOKEN)).toBe('in_flight');
    expect(await redis().smembers('mdm-reflex:backlog:runs:in-flight:interactive:north')).toEqual([job.id]);
  });

  test('goes back into the backlog when its account has no room, before later jobs', async () => {
    const job = await add('early');
    await start(job);
    await backlog.leave(job, TOKEN);
    const others = await addMany(30, 'e');
    expect(await backlog.askAgain({ ...job, at: 1 }, TOKEN)).toBe('held');
    expect(await (await runs.getJob(job.id))?.getState()).toBe('delayed');
    const [first] = others;
    if (first === undefined) throw new Error('no job');
    await run(first);
    expect((await inFlight()).at(-1)).toBe(job.id);
  });

  test('is left to the worker that has its lock', async () => {
    const job = await add('early');
    await start(job);
    await backlog.leave(job, TOKEN);
    await addMany(30, 'e');
    expect(await backlog.askAgain(job, 'another token')).toBe('lost');
    expect(await backlog.park(job, 'another token', Date.now())).toBe('lost');
    expect(await redis().lrange('mdm-reflex:runs:active', '0', '-1')).toEqual([job.id]);
  });

  test('does not jump the queue when it is woken in the backlog', async () => {
    const jobs = await addMany(26, 'e');
    await wakeJob(runs, 'e26.welcome');
    expect(await inFlight()).toEqual(jobs.slice(0, 24).map(({ id }) => id));
    expect(await runs.getDelayedCount()).toBe(2);
  });
});

describe('an unavailable account', () => {
  test('gets one job at a time until one ends well', async () => {
    const jobs = await addMany(30, 'e');
    const until = Date.now() + 3_600_000;
    for (const [index, job] of jobs.slice(0, 24).entries()) {
      await start(job);
      expect(await backlog.park(job, TOKEN, until + index)).toBe('parked');
    }
    expect(await inFlight()).toEqual(['e25.welcome']);
    expect(await readBacklog(singleShard(redis()))).toMatchObject([
      { reason: 'account_unavailable', waiting: 24, heldUntil: until },
      { reason: 'window', waiting: 5 },
    ]);
    // The hold ends.
    await redis().set('mdm-reflex:backlog:runs:held:interactive:north', '1');
    const probe = jobs[24];
    if (probe === undefined) throw new Error('no probe');
    await run(probe);
    expect(await inFlight()).toEqual(jobs.slice(0, 24).map(({ id }) => id));
    expect((await runAll(jobs)).toSorted()).toEqual(
      jobs
        .filter((job) => job !== probe)
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(await countKeys()).toEqual([]);
  });

  test('does not hold the other lane, nor another account', async () => {
    const job = await add('b', { lane: 'bulk' });
    await start(job);
    await backlog.park(job, TOKEN, Date.now() + 3_600_000);
    await addMany(3, 'i');
    await addMany(3, 'o', { lane: 'bulk', account: 'south' });
    expect(await inFlight()).toHaveLength(6);
  });

  test('lets parked jobs whose own time has come try, a few at a time', async () => {
    const jobs = await addMany(10, 'e');
    const [first, ...others] = jobs;
    if (first === undefined) throw new Error('no job');
    await start(first);
    await backlog.park(first, TOKEN, Date.now() + 3_600_000);
    for (const job of others) {
      await start(job);
      await backlog.park(job, TOKEN, Date.now() - 1);
    }
    expect(await inFlight()).toEqual([]);
    await backlog.check();
    expect(await inFlight()).toEqual(others.slice(0, 4).map(({ id }) => id));
  });
});

describe('what went wrong', () => {
  test('a job that was removed by hand is skipped', async () => {
    const jobs = await addMany(26, 'e');
    await (await runs.getJob('e25.welcome'))?.remove();
    const [first] = jobs;
    if (first === undefined) throw new Error('no job');
    await run(first);
    expect((await inFlight()).at(-1)).toBe('e26.welcome');
  });

  test('jobs that are gone from the queue give their places back', async () => {
    await addMany(30, 'e');
    for (let n = 1; n <= 24; n += 1) await (await runs.getJob(`e${n}.welcome`))?.remove();
    expect(await inFlight()).toEqual([]);
    expect(await backlog.check()).toBe(24);
    expect(await inFlight()).toHaveLength(6);
  });

  test('bulk jobs that are gone give their places back', async () => {
    await addMany(10, 'b', { lane: 'bulk' });
    for (let n = 1; n <= 8; n += 1) await (await runs.getJob(`b${n}.welcome`))?.remove();
    expect(await backlog.check()).toBe(8);
    expect(await inFlight()).toHaveLength(2);
    expect(await redis().scard('mdm-reflex:backlog:runs:in-flight:bulk')).toBe(2);
  });

  test('a job that BullMQ started by itself is not started again', async () => {
    const jobs = await addMany(26, 'e');
    const [first, second] = jobs;
    const started = jobs[24];
    if (first === undefined || second === undefined || started === undefined) throw new Error('no job');
    await (await runs.getJob(started.id))?.promote();
    await start(started);
    await backlog.leave(started, TOKEN);
    // It waits for its retry.
    await redis().lrem('mdm-reflex:runs:active', '0', started.id);
    await redis().zadd('mdm-reflex:runs:delayed', String((Date.now() + 1e6) * 0x1000), started.id);
    await run(first);
    await run(second);
    expect(await inFlight()).not.toContain(started.id);
  });

  test('one process at a time checks', async () => {
    await addMany(30, 'e');
    await backlog.check();
    for (let n = 1; n <= 24; n += 1) await (await runs.getJob(`e${n}.welcome`))?.remove();
    expect(await backlog.check()).toBe(0);
  });
});

describe('a bulk run for which an interactive one waits', () => {
  const isBulk = async (): Promise<boolean> => (await runs.getJob('b9.welcome'))?.data.lane === 'bulk';
  const raised: BacklogJob = {
    id: 'b9.welcome',
    lane: 'interactive',
    account: 'north',
    turn: 'welcome',
    at: Date.now(),
  };

  test('goes on in the interactive lane', async () => {
    await addMany(9, 'b', { lane: 'bulk' });
    await backlog.makeInteractive(raised.id);
    expect((await inFlight())[0]).toBe(raised.id);
    expect(await isBulk()).toBe(false);
    await run(raised);
    expect(await redis().exists('mdm-reflex:backlog:runs:turns:bulk:north')).toBe(1);
  });

  test('stays in its lane while it is active', async () => {
    const job = await add('b9', { lane: 'bulk' });
    await start(job);
    await backlog.makeInteractive(job.id);
    expect(await isBulk()).toBe(true);
    await run(job);
    expect(await redis().exists('mdm-reflex:backlog:runs:in-flight:bulk')).toBe(0);
  });

  test('keeps what a worker saves at the same moment', async () => {
    await addMany(9, 'b', { lane: 'bulk' });
    const job = await runs.getJob(raised.id);
    if (job === undefined) throw new Error('no job');
    await Promise.all([backlog.makeInteractive(raised.id), job.updateData({ ...job.data, replays: 7 })]);
    expect((await runs.getJob(raised.id))?.data.replays).toBe(7);
  });
});

describe('a leave that Redis gets late, or twice', () => {
  test('does not take the job out of the backlog again', async () => {
    const job = await add('early');
    await start(job);
    await backlog.leave(job, TOKEN);
    const others = await addMany(24, 'e');
    expect(await backlog.askAgain({ ...job, at: 1 }, TOKEN)).toBe('held');
    await backlog.leave(job, TOKEN);
    const [first] = others;
    if (first === undefined) throw new Error('no job');
    await run(first);
    expect((await inFlight()).at(-1)).toBe(job.id);
  });

  test('does not free the place that the job has for another worker', async () => {
    const job = await add('e');
    await start(job);
    await backlog.leave(job, 'token of an earlier worker');
    expect(await redis().scard('mdm-reflex:backlog:runs:in-flight:interactive:north')).toBe(1);
  });

  test('frees the place of a job that BullMQ has moved', async () => {
    const jobs = await addMany(25, 'e');
    const [first] = jobs;
    if (first === undefined) throw new Error('no job');
    await start(first);
    await redis().lrem('mdm-reflex:runs:active', '0', first.id);
    await redis().del(`mdm-reflex:runs:${first.id}`, `mdm-reflex:runs:${first.id}:lock`);
    await backlog.leave(first, TOKEN);
    expect((await inFlight()).at(-1)).toBe('e25.welcome');
  });
});
