import type { Queue } from 'bullmq';
import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { findEvents } from '../../../src/journal/find-events.js';
import type { EventSummary } from '../../../src/journal/trace.js';
import type { ScheduleJob } from '../../../src/queues/jobs.js';
import { openScheduleQueue } from '../../../src/queues/queues.js';
import { addTick } from '../../../src/schedules/schedule-queue.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

interface Begun extends World {
  readonly schedules: Queue<ScheduleJob>;
  /** Another rule file beside that of the service. */
  readonly otherRules: (text: string) => Promise<{ RULES_PATH: string }>;
}

const world = useWorld();

async function begin(rules: string): Promise<Begun> {
  const started = await world.start({ rules });
  const path = `${started.env['RULES_PATH'] ?? ''}.other.yaml`;
  const schedules = openScheduleQueue(singleShard(started.client), {
    repeatWindowDays: 7,
    deadLetterDays: 30,
    attempts: 3,
  });
  started.beforeStop(() => schedules.close());
  return Object.assign(started, {
    schedules,
    otherRules: async (text: string) => {
      await writeFile(path, text);
      return { RULES_PATH: path };
    },
  });
}

const ruleOn = (schedule: string, more = ''): string =>
  `rules: [{ id: scheduled, on: { schedule: '${schedule}' }, ${more} do: [{ log: hello }] }]\n`;
const YEARLY = ruleOn('0 0 1 1 *');
const NONE = 'rules: []\n';
const TEN_MINUTES = 600_000;

const events = async ({ client }: World): Promise<EventSummary[]> =>
  (await findEvents(openShards(client), { type: 'schedule.*', limit: 100 })).events;
const schedulers = async ({ schedules }: Begun): Promise<string[]> =>
  (await schedules.getJobSchedulers()).map(({ key }) => key);
const isCompleted = async (job: { getState: () => Promise<string> }): Promise<boolean> =>
  (await job.getState()) === 'completed';

test('a tick waits for a worker that has the rule', async () => {
  const current = await begin(NONE);
  await addTick(current.schedules, 'scheduled');
  const waiting = await until('the tick waits', async () => (await current.schedules.getDelayed())[0]);
  expect(await events(current)).toEqual([]);
  await current.restartService(await current.otherRules(YEARLY));
  await until('the tick is processed', () => isCompleted(waiting));
  await until('its event is emitted', async () => (await events(current)).length === 1);
});

test('a tick is dropped when its rule stays missing for the grace period', async () => {
  const current = await begin(NONE);
  const ruleMissingSince = new Date(Date.now() - TEN_MINUTES).toISOString();
  const job = await current.schedules.add('tick', { rule: 'scheduled', ruleMissingSince });
  await until('the tick is dropped', () => isCompleted(job));
  expect(current.log()).toContain('schedule dropped: no worker has its rule');
  expect(await events(current)).toEqual([]);
});

test('a tick that waited for its rule until the next tick is dropped', async () => {
  const current = await begin(ruleOn('0 0 * * * *'));
  const ruleMissingSince = new Date(Date.now() - 2 * 3_600_000).toISOString();
  const job = await current.schedules.add('tick', { rule: 'scheduled', ruleMissingSince });
  await until('the tick is dropped', () => isCompleted(job));
  expect(current.log()).toContain('tick dropped: the next tick was due while this one waited for its rule');
  expect(await events(current)).toEqual([]);
});

test('a tick of a disabled rule is dropped without a grace period', async () => {
  const current = await begin(ruleOn('0 0 1 1 *', 'enabled: false,'));
  const job = await current.schedules.add('tick', { rule: 'scheduled' });
  await until('the tick is dropped', () => isCompleted(job));
  expect(current.log()).toContain('tick dropped: the rule is disabled');
  expect(await events(current)).toEqual([]);
  expect(await schedulers(current)).toEqual([]);
});

test('a service that starts with other rules removes the schedules of the previous ones', async () => {
  const current = await begin(YEARLY);
  await until('the schedule is written', async () => (await schedulers(current)).join() === 'scheduled');
  await current.restartService(await current.otherRules(YEARLY.replace('scheduled', 'another')));
  await until(
    'only the other schedule is left',
    async () => (await schedulers(current)).join() === 'another',
  );
  expect((await current.schedules.getDelayed()).map(({ data }) => data.rule)).toEqual(['another']);
});
