import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { enqueueEvents } from '../../../src/coordination/enqueue-events.js';
import { openShardStores } from '../../../src/coordination/shard-stores.js';
import { event } from '../../../src/events/envelope.js';
import { readBacklog } from '../../../src/coordination/read-backlog.js';
import { findEvents } from '../../../src/journal/find-events.js';
import { openScheduleQueue } from '../../../src/queues/queues.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';
import { addTick } from '../../../src/schedules/schedule-queue.js';
import type { RecordedCall } from '../../../simulator/start.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY, WEBHOOK_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';

const world = useWorld();

async function tick(current: World, rule: string): Promise<void> {
  const schedules = openScheduleQueue(singleShard(current.client), {
    repeatWindowDays: 7,
    deadLetterDays: 30,
    attempts: 3,
  });
  current.beforeStop(() => schedules.close());
  await addTick(schedules, rule);
}

const writes = ({ simulator }: World): RecordedCall[] =>
  simulator.calls().filter(({ method }) => method !== 'GET');

/** How many jobs wait in a lane. */
const backlogOf = async ({ client }: World, lane: 'interactive' | 'bulk'): Promise<number> =>
  (await readBacklog(singleShard(client)))
    .filter((row) => row.lane === lane)
    .reduce((sum, { waiting }) => sum + waiting, 0);

const sweep = (id: string, more = ''): string => `
  - id: ${id}
    on: { schedule: "0 0 1 1 *", for_each: devices }
    limit: { runs: 10000, per: 1h }
    ${more}
    do: [set_attribute: { name: department, value: ${id} }]`;

const WELCOME = `
  - id: welcome
    on: device.enrolled
    settle: 0s
    limit: { runs: 10000, per: 1h }
    do: [set_attribute: { name: department, value: welcome }]`;

test('an event does not wait behind the runs of a sweep', async () => {
  const current = await world.start({
    rules: `rules:${sweep('audit')}${WELCOME}`,
    simulator: { fleet: { devices: 200, seed: 1 } },
    env: { API_RATE: '20' },
  });
  await tick(current, 'audit');
  await until(
    'the sweep has many runs in the backlog',
    async () => (await backlogOf(current, 'bulk')) >= 100,
  );

  const before = writes(current).length;
  const { id } = current.simulator.enroll({ kind: 'macbook' });
  const isFirst = ({ path }: RecordedCall): boolean => path.startsWith(`/devices/${id}/`);
  await until('the first action is at the API', () => writes(current).some(isFirst));
  // The calls that were on their way, or had their slot, when the device enrolled.
  expect(writes(current).findIndex(isFirst) - before).toBeLessThanOrEqual(20);
  expect(await backlogOf(current, 'bulk')).toBeGreaterThan(0);
});

test('a rule does not wait behind the runs of another', async () => {
  const current = await world.start({
    rules: `rules:${sweep('many')}${sweep('single', 'if: device.id == 10399')}`,
    simulator: { fleet: { devices: 400, seed: 1 } },
    env: { API_RATE: '20' },
  });
  await tick(current, 'many');
  await until('the rule has many runs in the backlog', async () => (await backlogOf(current, 'bulk')) >= 100);
  await tick(current, 'single');
  // The sweep itself reads the list of devices at the rate of the account.
  await until('the other rule has an event', async () => {
    const { events } = await findEvents(openShards(current.client), { type: 'schedule.single', limit: 1 });
    return events.length > 0;
  });
  const before = writes(current).length;
  const isSingle = ({ body }: RecordedCall): boolean => body['value'] === 'single';
  await until('the other rule has run', () => writes(current).some(isSingle));
  expect(writes(current).findIndex(isSingle) - before).toBeLessThan(50);
  expect(await backlogOf(current, 'bulk')).toBeGreaterThan(0);
});

describe.each([
  ['earlier bulk event of its device', 'if: device.name != ""'],
  ['earlier bulk run of its group', ''],
])('an event does not wait for an %s that waits in the bulk lane', (_name, condition) => {
  test('which goes first, in the lane of the event', async () => {
    const current = await world.start({
      rules: `rules:${WELCOME.replace('do:', `${condition}\n    do:`)}`,
      simulator: { fleet: { devices: 200, seed: 1 } },
      env: { API_RATE: '2' },
    });
    const { redis, prefix } = singleShard(current.client);
    const retention = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
    const stores = openShardStores(openShards(current.client), retention, (text) => text);
    current.beforeStop(() => stores.close());
    const account = 'default';
    const at = new Date(Date.now() - 60_000).toISOString();
    const events = Array.from({ length: 150 }, (_, index) =>
      event.parse({
        id: createHash('sha256').update(`bulk ${index}`).digest('hex'),
        account,
        type: 'device.enrolled',
        at,
        receivedAt: at,
        source: 'replay',
        originalSource: 'webhook',
        data: { device: { id: 10_000 + index, udid: `u${index}`, serial_number: `s${index}` } },
      }),
    );
    await enqueueEvents(events, stores.of(account), 'bulk');
    await until('much waits in the bulk lane', async () => (await backlogOf(current, 'bulk')) >= 100);
    await current.post({
      type: 'device.enrolled',
      data: { device: { id: 10_149, udid: 'u149', serial_number: 's149' } },
    });
    const isOfDevice = ({ path }: RecordedCall): boolean => path.startsWith('/devices/10149/');
    await until('both runs have acted', () => writes(current).filter(isOfDevice).length === 2);
    expect(await backlogOf(current, 'bulk')).toBeGreaterThan(20);
    expect(await redis.exists(`${prefix}:backlog:runs:in-flight:bulk`)).toBe(1);
  });
});

test('an account does not wait behind the events of another', async () => {
  const current = await world.start({
    rules: `rules:${WELCOME}`,
    simulator: { fleet: { devices: 200, seed: 1 } },
    env: { API_RATE: '5' },
  });
  const accounts = join(dirname(current.env['RULES_PATH'] ?? ''), 'accounts.yaml');
  const keys = '{ api_key: "${env:KEY}", webhook_token: "${env:WEBHOOK_TOKEN}" }';
  await writeFile(accounts, `accounts:\n  a: ${keys}\n  b: ${keys}\n`);
  await current.restartService({ ACCOUNTS_FILE: accounts, KEY: API_KEY, SIMPLEMDM_API_KEY: '' });
  const post = async (name: string, device: number): Promise<void> => {
    const response = await fetch(`${current.service.url}/webhooks/simplemdm/${name}/${WEBHOOK_TOKEN}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        type: 'device.enrolled',
        at: new Date().toISOString(),
        data: { device: { id: device, udid: `u${device}`, serial_number: `s${device}` } },
      }),
    });
    expect(response.status).toBe(202);
  };
  for (let device = 10_000; device < 10_150; device += 1) await post('a', device);
  await post('b', 10_150);
  await until('the event of the other account is done', async () => {
    const { events } = await findEvents(openShards(current.client), { type: 'device.enrolled', limit: 200 });
    return events.some(({ account, status }) => account === 'b' && ['completed', 'failed'].includes(status));
  });
  expect(await backlogOf(current, 'interactive')).toBeGreaterThan(0);
});
