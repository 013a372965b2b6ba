import { Worker } from 'bullmq';
import type { Job, Queue } from 'bullmq';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { openBacklog } from '../../../src/coordination/backlog.js';
import type { Backlog, BacklogJob } from '../../../src/coordination/backlog.js';
import { WINDOWS } from '../../../src/coordination/backlog-script.js';
import { openConcurrencyGroups } from '../../../src/coordination/concurrency-groups.js';
import { BACKLOG_DELAY_MS } from '../../../src/queues/backlog-delay.js';
import { inLane, laneOf, runJob } from '../../../src/queues/jobs.js';
import type { Lane, RunJob } from '../../../src/queues/jobs.js';
import { openRunQueue, runId } from '../../../src/queues/queues.js';
import { singleShard } from '../../../src/queues/shards.js';
import { enqueueRuns } from '../../support/enqueue-runs.js';
import { useTestRedis } from '../../support/use-redis.js';

/*
 * Random histories of jobs in the backlog, against BullMQ itself. Whatever happens, each job ends exactly once, none is forgotten, and no
 * window has more jobs than places.
 */

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const HOUR_MS = 3_600_000;
const QUEUE = 'mdm-reflex:runs';
const BACKLOG = 'mdm-reflex:backlog:runs';

const redis = useTestRedis();
let runs: Queue<RunJob>;
let worker: Worker<RunJob, unknown>;
let backlog: Backlog;
let connection: Redis;

beforeEach(() => {
  const shard = singleShard(redis());
  runs = openRunQueue(shard, RETENTION);
  backlog = openBacklog(shard, 'runs');
  connection = redis().duplicate({ maxRetriesPerRequest: null });
  worker = new Worker<RunJob>('runs', undefined, { connection, prefix: 'mdm-reflex', autorun: false });
});
afterEach(async () => {
  await Promise.all([runs.close(), worker.close()]);
  await connection.quit();
});

/** A job that a worker has. */
interface ActiveJob {
  readonly job: Job<RunJob, unknown>;
  readonly token: string;
}

const ofBacklog = ({ id = '', name, data, timestamp }: Job<RunJob, unknown>): BacklogJob => ({
  id,
  lane: laneOf(data),
  account: data.event.account,
  turn: name,
  at: timestamp,
});

/** The types of BullMQ leave out that there may be no job. */
const nextJob = (token: string): Promise<Job<RunJob, unknown> | undefined> =>
  worker.getNextJob(token, { block: false });

/** The state of one history. */
function history() {
  const unfinished = new Set<string>();
  const ended: string[] = [];
  const active: ActiveJob[] = [];
  /** What was sent once and may be sent again. */
  const left: ActiveJob[] = [];
  let count = 0;

  const pick = <T>(list: readonly T[], seed: number): T | undefined => list[seed % list.length];
  const drop = (one: ActiveJob): void => void active.splice(active.indexOf(one), 1);

  async function add(account: string, lane: Lane, rule: string, many: number): Promise<void> {
    const at = '2026-01-01T00:00:00.000Z';
    const shard = singleShard(redis());
    const target = { shard, runs, groups: openConcurrencyGroups(shard, RETENTION), retention: RETENTION };
    for (let n = 0; n < many; n += 1) {
      const event = `e${(count += 1)}`;
      const job = runJob.parse({
        event: { id: event, account, type: 'device.left', at, receivedAt: at, source: 'webhook', data: {} },
        rule: { id: rule, on: ['device.left'], enabled: true, do: [] },
        steps: [],
        plannedAt: at,
        ...inLane(lane),
      });
      await enqueueRuns([job], { ...target, events: runs });
      unfinished.add(runId(event, rule));
    }
  }

  async function start(many: number): Promise<void> {
    for (let n = 0; n < many; n += 1) {
      const token = `token ${(count += 1)}`;
      const job = await nextJob(token);
      if (job === undefined) return;
      const place = ofBacklog(job);
      if (job.attemptsStarted === 1 || (await backlog.askAgain(place, token)) === 'in_flight')
        active.push({ job, token });
    }
  }

  async function end(one: ActiveJob, leaves: boolean): Promise<void> {
    if (leaves) await backlog.leave(ofBacklog(one.job), one.token);
    await one.job.moveToCompleted(undefined, one.token, false);
    drop(one);
    left.push(one);
    ended.push(one.job.id ?? '');
    unfinished.delete(one.job.id ?? '');
  }

  async function retry(one: ActiveJob, leaves: boolean): Promise<void> {
    if (leaves) await backlog.leave(ofBacklog(one.job), one.token);
    await one.job.moveToDelayed(Date.now() + HOUR_MS, one.token);
    drop(one);
    left.push(one);
  }

  async function park(one: ActiveJob, inMs: number): Promise<void> {
    expect(await backlog.park(ofBacklog(one.job), one.token, Date.now() + inMs)).toBe('parked');
    drop(one);
    left.push(one);
  }

  /** As BullMQ does with the job of a dead worker. */
  async function die({ job, token }: ActiveJob): Promise<void> {
    const id = job.id ?? '';
    await redis()
      .multi()
      .del(`${QUEUE}:${id}:lock`)
      .lrem(`${QUEUE}:active`, '0', id)
      .rpush(`${QUEUE}:wait`, id)
      .exec();
    const index = active.findIndex((one) => one.token === token);
    active.splice(index, 1);
  }

  /** The jobs that wait for a retry. */
  async function wakeRetries(): Promise<void> {
    for (const job of await runs.getDelayed()) if (job.delay !== BACKLOG_DELAY_MS) await job.promote();
  }

  async function endHolds(): Promise<void> {
    for (const key of await redis().keys(`${BACKLOG}:held:*`)) await redis().set(key, '1');
  }

  async function check(): Promise<void> {
    await redis().del(`${BACKLOG}:checked`, `${BACKLOG}:compared`);
    await backlog.check();
  }

  async function remove(seed: number): Promise<void> {
    const job = pick(await runs.getDelayed(), seed);
    if (job === undefined) return;
    await job.remove();
    unfinished.delete(job.id ?? '');
  }

  async function expectNoneIsForgotten(): Promise<void> {
    const waiting = new Map<string, number>();
    for (const key of await redis().keys(`${BACKLOG}:waiting:*`))
      for (const id of await redis().zrange(key, '0', '-1')) waiting.set(id, (waiting.get(id) ?? 0) + 1);
    for (const key of await redis().keys(`${BACKLOG}:parked:*`))
      for (const id of await redis().zrange(key, '0', '-1')) waiting.set(id, (waiting.get(id) ?? 0) + 1);
    for (const job of await runs.getDelayed())
      if (job.delay === BACKLOG_DELAY_MS) expect([job.id, waiting.get(job.id ?? '')]).toEqual([job.id, 1]);
    const [wait, prioritized, delayed] = await Promise.all([
      redis().lrange(`${QUEUE}:wait`, '0', '-1'),
      redis().zrange(`${QUEUE}:prioritized`, '0', '-1'),
      redis().zrange(`${QUEUE}:delayed`, '0', '-1'),
    ]);
    const all = [...wait, ...prioritized, ...delayed, ...active.map(({ job }) => job.id ?? '')];
    expect(all.toSorted()).toEqual([...unfinished].toSorted());
  }

  function expectWindowsKept(): void {
    const sizes = new Map<string, number>();
    for (const { job } of active) {
      const { lane, account } = ofBacklog(job);
      sizes.set(`${lane} ${account}`, (sizes.get(`${lane} ${account}`) ?? 0) + 1);
    }
    // While an account is held, jobs whose own time has come start beside the window.
    for (const [window, size] of sizes)
      expect(size).toBeLessThanOrEqual(
        (window.startsWith('bulk') ? WINDOWS.bulk : WINDOWS.interactive) + WINDOWS.leastInteractive,
      );
  }

  /** Lets everything come to its end. */
  async function finish(): Promise<void> {
    for (let round = 0; unfinished.size > 0; round += 1) {
      // Without what was forgotten this needs a few rounds for each window of jobs.
      if (round > 500) throw new Error(`${unfinished.size} jobs do not end`);
      await endHolds();
      await wakeRetries();
      await check();
      await start(100);
      for (const one of [...active]) await end(one, true);
    }
    expect(new Set(ended).size).toBe(ended.length);
    await check();
    const keys = await redis().keys(`${BACKLOG}:*`);
    expect(keys.filter((key) => /:(waiting|parked|turns|accounts)/.test(key))).toEqual([]);
  }

  return {
    add,
    start,
    end: (seed: number, leaves: boolean) => withActive(seed, (one) => end(one, leaves)),
    retry: (seed: number, leaves: boolean) => withActive(seed, (one) => retry(one, leaves)),
    park: (seed: number, inMs: number) => withActive(seed, (one) => park(one, inMs)),
    die: (seed: number) => withActive(seed, die),
    leaveAgain: async (seed: number) => {
      const one = pick(left, seed);
      if (one !== undefined) await backlog.leave(ofBacklog(one.job), one.token);
    },
    makeInteractive: async (seed: number) => {
      const id = pick([...unfinished], seed);
      if (id !== undefined) await backlog.makeInteractive(id);
    },
    wakeRetries,
    endHolds,
    check,
    remove,
    finish,
    expectInvariants: async () => {
      await expectNoneIsForgotten();
      expectWindowsKept();
    },
  };

  async function withActive(seed: number, act: (one: ActiveJob) => Promise<void>): Promise<void> {
    const one = pick(active, seed);
    if (one !== undefined) await act(one);
  }
}

type History = ReturnType<typeof history>;
type Happening = readonly [name: string, happen: (of: History) => Promise<void>];

const seed = fc.nat(1000);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        account: fc.constantFrom('north', 'south'),
        lane: fc.constantFrom<Lane>('interactive', 'bulk'),
        rule: fc.constantFrom('slow', 'quick'),
        many: fc.integer({ min: 1, max: 14 }),
      })
      .map(({ account, lane, rule, many }): Happening => [
        `add ${many} ${lane} ${account} ${rule}`,
        (of) => of.add(account, lane, rule, many),
      ]),
  },
  {
    weight: 4,
    arbitrary: fc
      .integer({ min: 1, max: 20 })
      .map((many): Happening => [`start ${many}`, (of) => of.start(many)]),
  },
  ...(
    [
      ['end', (of, n) => of.end(n, true)],
      ['end', (of, n) => of.end(n, true)],
      ['end without leave', (of, n) => of.end(n, false)],
      ['retry', (of, n) => of.retry(n, true)],
      ['retry without leave', (of, n) => of.retry(n, false)],
      ['park', (of, n) => of.park(n, HOUR_MS)],
      ['park, due', (of, n) => of.park(n, -1)],
      ['die', (of, n) => of.die(n)],
      ['leave again', (of, n) => of.leaveAgain(n)],
      ['make interactive', (of, n) => of.makeInteractive(n)],
      ['wake', (of) => of.wakeRetries()],
      ['end of holds', (of) => of.endHolds()],
      ['check', (of) => of.check()],
      ['remove', (of, n) => of.remove(n)],
    ] satisfies (readonly [string, (of: History, seed: number) => Promise<void>])[]
  ).map(([name, happen]) => seed.map((n): Happening => [`${name} ${n}`, (of) => happen(of, n)])),
);

test('each job ends exactly once, none is forgotten, and windows keep their size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 20, maxLength: 80, size: 'max' }),
      async (happenings) => {
        await redis().flushall();
        const of = history();
        for (const [name, happen] of happenings) {
          await happen(of);
          await of.expectInvariants().catch((error: unknown) => {
            throw new Error(`after "${name}"`, { cause: error });
          });
        }
        await of.finish();
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
