import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openCallCosts, readCallCosts } from '../../src/coordination/call-costs.js';
import { queueState } from '../../src/console/queue-state.js';
import type { QueueRow, QueueState } from '../../src/console/queue-state.js';
import type { Event } from '../../src/events/envelope.js';
import { openConcurrencyGroups } from '../../src/coordination/concurrency-groups.js';
import { readBacklog } from '../../src/coordination/read-backlog.js';
import { openApprovals } from '../../src/coordination/approvals.js';
import { openRunLimits } from '../../src/coordination/run-limits.js';
import type { RunJob, SweepJob } from '../../src/queues/jobs.js';
import { openEventQueue, openRunQueue, openSweepQueue } from '../../src/queues/queues.js';
import { openShards } from '../../src/queues/shards.js';
import { ruleSource } from '../../src/rules/model/rule-schema.js';
import { recordSweep } from '../../src/schedules/last-sweeps.js';
import { enqueueRuns } from '../support/enqueue-runs.js';
import { useTestRedis } from '../support/use-redis.js';

const redis = useTestRedis();
const retention = { repeatWindowDays: 7, deadLetterDays: 90, attempts: 3 };
const shards = () => openShards(redis());
const closing: { close: () => Promise<void> }[] = [];

beforeEach(async () => {
  await redis().flushall();
});
afterEach(async () => {
  for (const queue of closing.splice(0)) await queue.close();
});

function opened<T extends { close: () => Promise<void> }>(queue: T): T {
  closing.push(queue);
  return queue;
}

const event = (number: number, account = 'default'): Event => ({
  id: String(number),
  account,
  type: 'device.enrolled',
  at: '2026-01-31T08:00:00.000Z',
  receivedAt: '2026-01-31T08:00:00.000Z',
  source: 'webhook',
  data: { device: { id: number } },
});

const run = (number: number, id: string, changes: Partial<RunJob> = {}): RunJob => ({
  event: event(number),
  rule: ruleSource.parse({
    id,
    file: 'a.yaml',
    on: ['device.enrolled'],
    do: [],
    enabled: true,
    mode: 'live',
    allow: [],
  }),
  steps: [],
  plannedAt: '2026-01-31T08:00:00.000Z',
  ...changes,
});

const brief = ({ queue, lane, account, rule, reason, count, isEstimate }: QueueRow) =>
  [queue, lane, account, rule ?? '-', reason, isEstimate ? `about ${count}` : count].join(' ');
const briefRows = ({ rows }: QueueState): string[] => rows.map(brief);

test('shows what waits by queue, lane, account, rule and reason, with the oldest job', async () => {
  const shard = shards().home;
  const events = opened(openEventQueue(shard, retention));
  const runs = opened(openRunQueue(shard, retention));
  await events.add('device.enrolled', { event: event(1) }, { jobId: 'e1', timestamp: 1_000_000 });
  await events.add('device.enrolled', { event: event(2, 'west') }, { jobId: 'e2', delay: 60_000 });
  await runs.add('audit', run(3, 'audit', { lane: 'bulk' }), { jobId: 'r3', priority: 1 });
  const inStep = run(4, 'onboard', {
    admitted: true,
    steps: [{ action: 'wait', status: 'waiting', attempts: 1, calls: [] }],
  });
  for (const id of ['r4', 'r5']) await runs.add('onboard', inStep, { jobId: id, delay: 60_000 });
  const limits = openRunLimits(shard);
  const limit = { runs: 0, windowMs: 60_000, shared: false, reason: 'none' };
  await limits.admit({
    account: 'default',
    rule: 'erase',
    run: 'r6:0',
    plannedAt: Date.now(),
    limits: [limit],
  });
  await limits.addBehind('default', 'erase', 'r7:0');
  const behind = run(7, 'erase', { waitReason: 'waits for earlier runs of the rule for the same device' });
  await runs.add('erase', behind, { jobId: 'r7', delay: 60_000 });
  await openApprovals(shards().home).ask({
    id: 'a1',
    account: 'default',
    rule: 'lock',
    event: { id: 'e1', type: 'device.enrolled' },
    steps: [],
    channel: 'desk',
    run: 'r8',
    requestedAt: '2026-01-31T08:00:00.000Z',
    expiresAt: '2026-02-01T08:00:00.000Z',
    onTimeout: 'drop',
  });
  const state = await queueState(shards(), 10);
  expect(briefRows(state)).toEqual([
    'events interactive default - in_flight 1',
    'runs interactive default erase held 2',
    'runs interactive default lock approval 1',
    'runs interactive default onboard step 2',
    'runs bulk default audit in_flight 1',
    'events interactive west - order 1',
  ]);
  expect(state.rows[0]?.oldest).toBe(new Date(1_000_000).toISOString());
  expect(await redis().exists('mdm-reflex:runs:r7')).toBe(1);
});

test('estimates when each lane is done from the calls of finished jobs, and admits what is unknown', async () => {
  const shard = shards().home;
  const runs = opened(openRunQueue(shard, retention));
  for (let number = 0; number < 10; number += 1) {
    await runs.add('onboard', run(number, 'onboard'), { jobId: `i${number}` });
    await runs.add('audit', run(number, 'audit', { lane: 'bulk' }), { jobId: `b${number}`, priority: 1 });
  }
  const now = Date.parse('2026-01-31T08:00:00.000Z');
  expect((await queueState(shards(), 10, now)).estimates).toEqual([
    { account: 'default', lane: 'interactive', jobs: 10 },
    { account: 'default', lane: 'bulk', jobs: 10 },
  ]);
  const costs = openCallCosts(shards());
  const attempt = { account: 'default', queue: 'runs' as const, calls: 4 };
  // Two attempts at a run of four calls each, and then the last one.
  for (const isFinished of [false, true]) costs.note({ ...attempt, name: 'onboard', isFinished });
  await costs.flush();
  expect((await queueState(shards(), 10, now)).estimates).toEqual([
    { account: 'default', lane: 'interactive', jobs: 10, calls: 80, doneAt: '2026-01-31T08:00:08.000Z' },
    { account: 'default', lane: 'bulk', jobs: 10 },
  ]);
  for (let count = 0; count < 5; count += 1) costs.note({ ...attempt, name: 'audit', isFinished: true });
  await costs.flush();
  expect((await queueState(shards(), 10, now)).estimates[1]).toEqual({
    account: 'default',
    lane: 'bulk',
    jobs: 10,
    calls: 40,
    // Behind the interactive calls.
    doneAt: '2026-01-31T08:00:12.000Z',
  });
});

test('the counted calls of a kind follow its recent jobs', async () => {
  const costs = openCallCosts(shards());
  const attempt = { account: 'default', queue: 'runs' as const, name: 'audit', isFinished: true };
  for (let count = 0; count < 1000; count += 1) costs.note({ ...attempt, calls: 9 });
  await costs.flush();
  for (let count = 0; count < 4000; count += 1) {
    costs.note({ ...attempt, calls: 1 });
    if (count % 100 === 0) await costs.flush();
  }
  await costs.flush();
  const cost = (await readCallCosts(shards().home, 'default')).get('runs:audit');
  expect(cost?.jobs).toBeLessThanOrEqual(1000);
  expect((cost?.calls ?? 0) / (cost?.jobs ?? 1)).toBeLessThan(1.5);
  expect(await redis().ttl('mdm-reflex:call-costs:default')).toBeGreaterThan(0);
});

test('many waiting jobs are counted from a sample: the cost does not grow with their number', async () => {
  const runs = opened(openRunQueue(shards().home, retention));
  const jobs = Array.from({ length: 6000 }, (_, number) => ({
    name: 'onboard',
    data:
      number % 3 === 0
        ? run(number, 'slow', {
            admitted: true,
            steps: [{ action: 'wait', status: 'waiting', attempts: 1, calls: [] }],
          })
        : run(number, 'onboard', { waitReason: 'waits for earlier runs of the rule for the same device' }),
    opts: { jobId: `r${number}`, delay: 60_000 + number * 10 },
  }));
  for (let start = 0; start < jobs.length; start += 1000) await runs.addBulk(jobs.slice(start, start + 1000));
  await redis().config('RESETSTAT');
  const state = await queueState(shards(), 10);
  const stats = await redis().info('commandstats');
  const commands = [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  expect(commands).toBeLessThan(1000);
  const counts = new Map(state.rows.map((row) => [`${row.rule ?? ''} ${row.reason}`, row]));
  expect([...counts.keys()].sort()).toEqual(['onboard slot', 'slow step']);
  for (const [key, expected] of [
    ['onboard slot', 4000],
    ['slow step', 2000],
  ] as const) {
    expect(counts.get(key)?.isEstimate).toBe(true);
    expect(Math.abs((counts.get(key)?.count ?? 0) - expected)).toBeLessThan(900);
  }
});

test('shows sweeps with their progress', async () => {
  const sweeps = opened(openSweepQueue(shards().home, retention));
  const sweep = (account: string, changes: Partial<SweepJob> = {}): SweepJob => ({
    rule: 'audit',
    account,
    tick: { id: 't', at: '2026-01-31T08:00:00.000Z' },
    ...changes,
  });
  await recordSweep(shards().home, 'audit', 'default', {
    scheduledAt: '2026-01-30T08:00:00.000Z',
    finishedAt: '2026-01-30T08:10:00.000Z',
    evaluated: 930,
    emitted: 12,
  });
  await sweeps.add('audit', sweep('default', { progress: { evaluated: 300, emitted: 5 } }), { jobId: 's1' });
  await sweeps.add('audit', sweep('west'), { jobId: 's2', delay: 60_000 });
  const scheduledAt = '2026-01-31T08:00:00.000Z';
  expect((await queueState(shards(), 10)).sweeps).toEqual([
    {
      account: 'default',
      rule: 'audit',
      state: 'queued',
      scheduledAt,
      evaluated: 300,
      devices: 930,
      emitted: 5,
    },
    { account: 'west', rule: 'audit', state: 'delayed', scheduledAt, evaluated: 0, emitted: 0 },
  ]);
});

test('counts the backlog exactly, by lane, account and rule, apart from jobs that are delayed for another reason', async () => {
  const shard = shards().home;
  const runs = opened(openRunQueue(shard, retention));
  const events = opened(openEventQueue(shard, retention));
  const groups = openConcurrencyGroups(shard, retention);
  const jobs = [
    ...Array.from({ length: 40 }, (_, number) => run(number, 'onboard')),
    ...Array.from({ length: 400 }, (_, number) => run(1000 + number, 'audit', { lane: 'bulk' })),
    ...Array.from({ length: 30 }, (_, number) => run(2000 + number, 'tidy', { lane: 'bulk' })),
  ];
  for (const job of jobs) await enqueueRuns([job], { shard, runs, events, groups, retention });
  const inStep = run(5000, 'onboard', {
    admitted: true,
    steps: [{ action: 'wait', status: 'waiting', attempts: 1, calls: [] }],
  });
  await runs.add('onboard', inStep, { jobId: 'soon', delay: 60_000 });
  await runs.add('onboard', inStep, { jobId: 'late', delay: 3 * 86_400_000 });
  const state = await queueState(shards(), 10);
  const turns = (await readBacklog(shard)).map(
    ({ lane, rule, waiting }) => `${lane} ${rule ?? '-'} ${waiting}`,
  );
  expect(turns.length).toBe(3);
  for (const row of state.rows) expect(row.isEstimate).toBe(false);
  const waiting = state.rows.filter(({ reason }) => reason === 'turn');
  expect(waiting.map(({ lane, rule, count }) => `${lane} ${rule ?? '-'} ${count}`).sort()).toEqual(
    turns.sort(),
  );
  expect(briefRows(state)).toContain('runs interactive default onboard step 2');
  expect(state.rows.reduce((sum, { count }) => sum + count, 0)).toBe(jobs.length + 2);
});
