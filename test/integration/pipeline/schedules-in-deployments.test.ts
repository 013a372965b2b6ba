import type { Queue } from 'bullmq';
import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { findEvents } from '../../../src/journal/find-events.js';
import type { EventSummary } from '../../../src/journal/trace.js';
import type { ScheduleJob } from '../../../src/queues/jobs.js';
import { openScheduleQueue } from '../../../src/queues/queues.js';
import { addTick } from '../../../src/schedules/scheduler.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';

interface Begun extends World {
  readonly schedules: Queue<ScheduleJob>;
  /** Another rule file beside that of the service. */
  readonly otherRules: (text: string) => Promise<{ RULES_PATH: string }>;
}

const world = useWorld();

async function begin(rules: string): Promise<Begun> {
  const started = await world.start({ rules });
  const path = `${started.env['RULES_PATH'] ?? ''}.other.yaml`;
  const schedules = openScheduleQueue(started.client, {
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
  `rules: [{ id: by-the-clock, on: { schedule: '${schedule}' }, ${more} do: [{ log: hello }] }]\n`;
const YEARLY = ruleOn('0 0 1 1 *');
const NONE = 'rules: []\n';
const TEN_MINUTES = 600_000;

const events = async ({ client }: World): Promise<EventSummary[]> =>
  (await findEvents(client, { type: 'schedule.*', limit: 100 })).events;
const schedulers = async ({ schedules }: Begun): Promise<string[]> =>
  (await schedules.getJobSchedulers()).map(({ key }) => key);
const isThrough = async (job: { getState: () => Promise<string> }): Promise<boolean> =>
  (await job.getState()) === 'completed';

test('a worker that does not have the rule yet leaves the tick to one that has it', async () => {
  const current = await begin(NONE);
  await addTick(current.schedules, 'by-the-clock');
  const waiting = await until('it waits', async () => (await current.schedules.getDelayed())[0]);
  expect(await events(current)).toEqual([]);
  await current.restartService(await current.otherRules(YEARLY));
  await until('it is worked through', () => isThrough(waiting));
  await until('its event is there', async () => (await events(current)).length === 1);
});

test('a tick of a rule that does not come back is dropped after a while, and nothing is done', async () => {
  const current = await begin(NONE);
  const absentSince = Date.now() - TEN_MINUTES;
  const job = await current.schedules.add('tick', { rule: 'by-the-clock', absentSince });
  await until('it is dropped', () => isThrough(job));
  expect(current.log()).toContain('a rule that is not there: nothing is done');
  expect(await events(current)).toEqual([]);
});

test('a tick that waited for its rule until the next one came leaves it to that', async () => {
  const current = await begin(ruleOn('0 0 * * * *'));
  const absentSince = Date.now() - 2 * 3_600_000;
  const job = await current.schedules.add('tick', { rule: 'by-the-clock', absentSince });
  await until('it is dropped', () => isThrough(job));
  expect(current.log()).toContain('it makes up for both');
  expect(await events(current)).toEqual([]);
});

test('a tick of a rule that is there and not enabled is dropped at once', async () => {
  const current = await begin(ruleOn('0 0 1 1 *', 'enabled: false,'));
  const job = await current.schedules.add('tick', { rule: 'by-the-clock' });
  await until('it is dropped', () => isThrough(job));
  expect(current.log()).toContain('a rule that is not enabled: nothing is done');
  expect(await events(current)).toEqual([]);
  expect(await schedulers(current)).toEqual([]);
});

test('a service that starts with other rules on the same Redis ends the schedules of those of before', async () => {
  const current = await begin(YEARLY);
  await until('it is planned', async () => (await schedulers(current)).join() === 'by-the-clock');
  await current.restartService(await current.otherRules(YEARLY.replace('by-the-clock', 'another')));
  await until('only the other is planned', async () => (await schedulers(current)).join() === 'another');
  expect((await current.schedules.getDelayed()).map(({ data }) => data.rule)).toEqual(['another']);
});
