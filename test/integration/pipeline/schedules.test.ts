import { Queue } from 'bullmq';
import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { z } from 'zod';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const world = useWorld();

/** The queue of schedules, with its own connection. */
function openQueue(url: string): Queue {
  const queue = new Queue('schedules', { connection: { url }, prefix: 'mdm-reflex' });
  queue.on('error', () => undefined);
  world.beforeStop(() => queue.close());
  return queue;
}

const rules = (schedule: string, more: string): string => `
rules:
  - id: scheduled
    on: { schedule: "${schedule}"${more}
`;

const begin = (text: string, env: Record<string, string> = {}): Promise<World> =>
  world.start({ rules: text, env });

const events = async (limit = 100) =>
  (await findEvents(openShards(world.client), { type: 'schedule.*', limit })).events;

test('with for_each, each device that matches gets an event and a run', async () => {
  const { simulator, calls, client } = await begin(
    rules(
      '* * * * * *',
      `, for_each: devices }
    if: device.platform == "macOS"
    do:
      - log: "{{ device.name }}"`,
    ),
  );
  const answer = await fetch(`${simulator.url}/devices?limit=100`, {
    headers: { Authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}` },
  });
  const list = z
    .object({
      data: z.array(z.looseObject({ attributes: z.looseObject({ product_name: z.string().nullish() }) })),
    })
    .parse(await answer.json());
  const macs = list.data.filter(({ attributes }) => /^(iMac|Mac)/.test(attributes.product_name ?? ''));
  expect(macs.length).toBeGreaterThan(1);
  await until(
    'the runs of a tick are completed',
    async () => (await events()).filter(({ status }) => status === 'completed').length >= macs.length,
  );
  const [newest] = await events(1);
  const trace = await findTrace(openShards(client), newest?.id ?? '');
  expect(trace).toMatchObject({
    type: 'schedule.scheduled',
    source: 'schedule',
    data: { rule: 'scheduled', device: { id: expect.any(Number) } },
    facts: { device: { status: 'found', calls: [] } },
    decisions: [{ verdict: 'matched' }],
  });
  // The device list has all facts, so no device is retrieved on its own.
  expect(calls().filter((call) => /^GET \/devices\/\d+/.test(call))).toEqual([]);
});

test('without for_each, the account gets one event with facts of the account', async () => {
  await begin(
    rules(
      '* * * * * *',
      ` }
    if: push_certificate.expires_at != null && account.name != ""
    do:
      - log: "{{ account.name }}: {{ push_certificate.apple_id }}, {{ dep_servers.size }} servers"`,
    ),
  );
  const [event] = await until('an event', async () => {
    const done = (await events()).filter(({ status }) => status === 'completed');
    return done.length > 0 && done;
  });
  const trace = await findTrace(openShards(world.client), event?.id ?? '');
  expect(trace?.runs[0]?.steps[0]?.output).toMatchObject({
    message: expect.stringMatching(/: .+@.+, 2 servers$/),
  });
});

test('a missed tick runs once, and an unchanged schedule keeps its next tick', async () => {
  const daily = (at: Date): string =>
    rules(
      `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`,
      ` }
    do:
      - log: good morning`,
    );
  const { restartService, service, redis, env } = await begin(daily(new Date(Date.now() + 12 * 3_600_000)));
  const startedAt = performance.now();
  await restartService();
  // Leaves time for a restart before the tick, on a slow machine as well.
  const ahead = 3000 + 4 * (performance.now() - startedAt);
  const due = new Date(Math.ceil((Date.now() + ahead) / 1000) * 1000);
  await writeFile(env['RULES_PATH'] ?? '', daily(due));
  await world.service.reloadRules();
  const queue = openQueue(redis.url);
  const next = async (): Promise<number | undefined> => (await queue.getJobScheduler('scheduled'))?.next;
  await until('the schedule is written', async () => (await next()) === due.getTime());
  await restartService();
  expect(await next()).toBe(due.getTime());
  await world.service.stop();
  expect(service).not.toBe(world.service);
  await until('the tick is due while the service is down', () => Date.now() > due.getTime() + 500);
  expect(await events()).toEqual([]);
  await restartService();
  await until('the missed tick has run', async () => (await events()).length === 1);
  await until('the next tick is scheduled', async () => (await next()) === due.getTime() + 86_400_000);
  expect(await events()).toHaveLength(1);
});

test('changed rules change the schedules without a restart', async () => {
  const { env, redis } = await begin(
    rules(
      '0 0 1 1 *',
      ` }
    do:
      - log: one`,
    ),
  );
  const queue = openQueue(redis.url);
  const patterns = async (): Promise<(string | undefined)[]> =>
    (await queue.getJobSchedulers()).map(({ pattern }) => pattern);
  await until('the schedule is written', async () => (await patterns()).join() === '0 0 1 1 *');
  await writeFile(
    env['RULES_PATH'] ?? '',
    rules(
      '0 0 2 2 *',
      `, timezone: Europe/Berlin }
    do:
      - log: two`,
    ),
  );
  await until('the schedule is replaced', async () => (await patterns()).join() === '0 0 2 2 *');
  await writeFile(env['RULES_PATH'] ?? '', 'rules: []\n');
  await until('the schedule is removed', async () => (await patterns()).length === 0);
});
