import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Queue } from 'bullmq';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { EventSummary } from '../../../src/journal/trace.js';
import type { ScheduleJob, SweepJob } from '../../../src/queues/jobs.js';
import { openScheduleQueue, openSweepQueue } from '../../../src/queues/queues.js';
import { addTick } from '../../../src/schedules/schedule-queue.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import type { World, WorldOptions } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

interface Begun extends World {
  readonly schedules: Queue<ScheduleJob>;
  readonly sweeps: Queue<SweepJob>;
}

const world = useWorld();

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };

async function begin(options: WorldOptions): Promise<Begun> {
  const started = await world.start(options);
  const schedules = openScheduleQueue(singleShard(started.client), RETENTION);
  const sweeps = openSweepQueue(singleShard(started.client), RETENTION);
  started.beforeStop(() => Promise.all([schedules.close(), sweeps.close()]));
  return Object.assign(started, { schedules, sweeps });
}

const events = async ({ client }: World, account?: string): Promise<EventSummary[]> =>
  (await findEvents(openShards(client), { type: 'schedule.*', limit: 100, ...(account && { account }) }))
    .events;

const times = (found: readonly EventSummary[]): Set<unknown> =>
  new Set(found.map(({ data }) => data['scheduled_at']));

test('an account with a refused key does not delay others, and catches up once', async () => {
  const current = await begin({
    rules: `
rules:
  - id: every-second
    on: { schedule: "* * * * * *", for_each: devices }
    if: device.id == 121
    do: [{ log: hello }]
`,
  });
  const accounts = join(dirname(current.env['RULES_PATH'] ?? ''), 'accounts.yaml');
  await writeFile(
    accounts,
    `accounts:
  a-refused: { api_key: "\${env:FIRST_KEY}", webhook_token: "\${env:WEBHOOK_TOKEN}" }
  b-good: { api_key: "\${env:SECOND_KEY}", webhook_token: "\${env:WEBHOOK_TOKEN}" }
`,
  );
  const env = {
    ACCOUNTS_FILE: accounts,
    FIRST_KEY: 'a-key-that-is-refused-4711',
    SECOND_KEY: API_KEY,
    SIMPLEMDM_API_KEY: '',
  };
  await current.restartService(env);
  await until(
    'the other account has had some ticks',
    async () => times(await events(current, 'b-good')).size >= 4,
  );
  expect(await events(current, 'a-refused')).toEqual([]);
  const unfinished = await current.sweeps.getDelayed();
  expect(unfinished.map(({ data }) => data.account)).toEqual(['a-refused']);
  const skippedTicks = (account: string): Promise<number> =>
    current.metric(`mdm_reflex_schedule_ticks_skipped_total{rule="every-second",account="${account}"}`);
  expect(await skippedTicks('a-refused')).toBeGreaterThanOrEqual(2);
  expect(current.log()).toContain('tick skipped: the previous sweep is still running');

  await current.restartService({ ...env, FIRST_KEY: API_KEY });
  const fixedAt = new Date().toISOString();
  await until('the account has later ticks', async () =>
    [...times(await events(current, 'a-refused'))].some((at) => String(at) > fixedAt),
  );
  const missed = (await events(current, 'a-refused')).filter(
    ({ data }) => String(data['scheduled_at']) < fixedAt,
  );
  expect(missed.map(({ data }) => data['scheduled_at'])).toEqual([unfinished[0]?.data.tick.at]);
});

test('a key without the permission to list devices fails the sweep; the next tick starts another one', async () => {
  const current = await begin({
    rules: `
rules:
  - id: yearly
    on: { schedule: "0 0 1 1 *", for_each: devices }
    if: device.id == 121
    do: [{ log: hello }]
`,
  });
  current.simulator.addFault({ method: 'GET', path: '/devices', kind: 'status', status: 403, times: 1 });
  await addTick(current.schedules, 'yearly');
  await until('the sweep has failed', async () => (await current.sweeps.getFailedCount()) === 1);
  expect(current.log()).toContain('lacks the permission');
  await addTick(current.schedules, 'yearly');
  await until('the next sweep has emitted its event', async () => (await events(current)).length === 1);
});

test('the event of a device with an unavailable fact waits, and the sweep continues', async () => {
  const current = await begin({
    rules: `
rules:
  - id: yearly
    on: { schedule: "0 0 1 1 *", for_each: devices }
    if: size(apps) >= 0
    do: [{ log: "{{ device.name }}" }]
`,
  });
  const broken = 54;
  current.simulator.addFault({ path: `/devices/${broken}/installed_apps`, kind: 'status', status: 500 });
  await addTick(current.schedules, 'yearly');
  await until('the sweep has completed', async () => (await current.sweeps.getCompletedCount()) === 1);
  const found = await events(current);
  const isBroken = ({ data }: EventSummary): boolean => JSON.stringify(data).includes(`{"id":${broken},`);
  expect(found.length).toBeGreaterThan(2);
  await until('the other events are completed', async () =>
    (await events(current)).every((event) => isBroken(event) || event.status === 'completed'),
  );
  const id = found.find(isBroken)?.id ?? '';
  await until('the trace tells why the event waits', async () =>
    (await findTrace(openShards(current.client), id))?.reason?.includes(`/devices/${broken}/installed_apps`),
  );
  current.simulator.clearFaults();
  await until(
    'the event is completed',
    async () => (await findTrace(openShards(current.client), id))?.status === 'completed',
  );
});
