import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startSimulator } from '../../simulator/start.js';
import { deviceReferenceOf } from '../../src/events/webhook-types.js';
import { findEvents } from '../../src/journal/find-events.js';
import type { EventSummary } from '../../src/journal/trace.js';
import { openScheduleQueue, openSweepQueue } from '../../src/queues/queues.js';
import { addTick } from '../../src/schedules/schedule-queue.js';
import { createSimpleMdm } from '../../src/simplemdm/client.js';
import { endAllProcesses, startReadyProcess, temporaryFolder } from '../support/process.js';
import { startTestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { openShards, singleShard } from '../../src/queues/shards.js';

const RULES = `
rules:
  - id: yearly
    on: { schedule: '0 0 1 1 *', for_each: devices }
    if: size(apps) >= 0
    do: [log: '{{ device.name }}']
`;
const API_KEY = 'api-key-of-the-test';
const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };

afterEach(endAllProcesses);

async function allEvents(redis: Redis): Promise<EventSummary[]> {
  const all: EventSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await findEvents(openShards(redis), { type: 'schedule.*', limit: 100, cursor });
    all.push(...page.events);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

test('a service that is killed during a sweep continues it: one event per device, none missing', async () => {
  const folder = await temporaryFolder({ 'rules.yaml': RULES });
  const redis = await startTestRedis();
  const simulator = await startSimulator({ apiKey: API_KEY, fleet: { devices: 300, seed: 4711 } });
  const client = new Redis(redis.url);
  const schedules = openScheduleQueue(singleShard(client), RETENTION);
  const sweeps = openSweepQueue(singleShard(client), RETENTION);
  try {
    const start = () =>
      startReadyProcess('serve', {
        REDIS_URL: redis.url,
        RULES_PATH: `${folder.path}/rules.yaml`,
        SIMPLEMDM_API_KEY: API_KEY,
        SIMPLEMDM_BASE_URL: simulator.url,
        CHECK_REFERENCES: '0',
        API_RATE: '1000',
        JOB_LOCK_MS: '5000',
        RETRY_BASE_MS: '50',
        RETRY_MAX_MS: '500',
      });
    const devices: number[] = [];
    const api = createSimpleMdm({ account: 'default', apiKey: API_KEY, baseUrl: simulator.url });
    for await (const { id } of api.devices.list()) devices.push(id);
    expect(devices.length).toBeGreaterThanOrEqual(300);
    simulator.clearCalls();
    // Slow enough that each kill happens during the sweep.
    simulator.addFault({ path: '/devices/*/installed_apps', kind: 'slow', delayMs: 50 });

    let service = await start();
    await addTick(schedules, 'yearly');
    for (const share of [0.2, 0.6]) {
      await until(
        `${share * 100} % of the devices have an event`,
        async () => (await allEvents(client)).length >= devices.length * share,
      );
      expect((await sweeps.getActive()).map(({ data }) => data.rule)).toEqual(['yearly']);
      service.kill('SIGKILL');
      await service.ended;
      service = await start();
    }
    await until('the sweep has completed', async () => (await sweeps.getCompletedCount()) === 1);
    await until('every event is completed', async () =>
      (await allEvents(client)).every(({ status }) => status === 'completed'),
    );
    const events = await allEvents(client);
    const ids = events.map((event) => deviceReferenceOf(event)?.id ?? 0).sort((a, b) => a - b);
    expect(ids).toEqual([...devices].sort((a, b) => a - b));
    expect(new Set(events.map(({ data }) => data['scheduled_at'])).size).toBe(1);
    // The sweep continued from its progress: the first page was read once.
    const lists = simulator.calls().filter(({ path }) => path === '/devices');
    expect(lists.filter(({ query }) => query['starting_after'] === undefined)).toHaveLength(1);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  } finally {
    await endAllProcesses();
    await Promise.all([schedules.close(), sweeps.close()]);
    client.disconnect();
    await simulator.close();
    await redis.stop();
    await folder.remove();
  }
});
