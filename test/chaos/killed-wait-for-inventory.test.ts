import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createManualClock } from '../../simulator/clock.js';
import { startSimulator } from '../../simulator/start.js';
import { findEvents } from '../../src/journal/find-events.js';
import { endAllProcesses, startReadyProcess, temporaryFolder } from '../support/process.js';
import { freePort, startTestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { openShards } from '../../src/queues/shards.js';

const RULES = `
rules:
  - id: macs
    on: device.enrolled
    if: device.platform == "macOS"
    do:
      - assign_device_group: Laptops
      - run_script: Say hi
  - id: any-device
    on: device.enrolled
    do: [send_invitation: { enrollment: 6, contact: "{{ event.data.device.id }}@example.org" }]
`;
const HOUR_MS = 3_600_000;

afterEach(endAllProcesses);

test('a service that is killed between looks and during one still acts once when the inventory arrives', async () => {
  const DEVICES = 10;
  const folder = await temporaryFolder({ 'rules.yaml': RULES });
  const redis = await startTestRedis();
  const clock = createManualClock(new Date());
  const simulator = await startSimulator({ apiKey: 'api-key-of-the-test', clock });
  const client = new Redis(redis.url);
  const summaries = async () =>
    (await findEvents(openShards(client), { type: 'device.enrolled', limit: 100 })).events;
  try {
    const port = await freePort();
    const start = () =>
      startReadyProcess('serve', {
        PORT: String(port),
        REDIS_URL: redis.url,
        RULES_PATH: `${folder.path}/rules.yaml`,
        SIMPLEMDM_API_KEY: 'api-key-of-the-test',
        SIMPLEMDM_BASE_URL: simulator.url,
        WEBHOOK_TOKEN: 'webhook-token-of-the-test',
        INVENTORY_LOOKS_MS: '500',
        JOB_LOCK_MS: '2000',
        RETRY_BASE_MS: '50',
        RETRY_MAX_MS: '500',
      });
    let service = await start();
    const restart = async (): Promise<void> => {
      service.kill('SIGKILL');
      await service.ended;
      service = await start();
    };
    simulator.setWebhook({ url: `${service.url}/webhooks/simplemdm`, token: 'webhook-token-of-the-test' });
    const devices = Array.from({ length: DEVICES }, () =>
      simulator.enroll({ kind: 'macbook', inventoryMs: HOUR_MS }),
    );
    await simulator.webhooksSettled();
    await until(
      'the other rule has acted for every device',
      () => simulator.invitations().length === DEVICES,
    );
    await until('every event waits for inventory', async () => {
      const events = await summaries();
      return events.length === DEVICES && events.every(({ code }) => code === 'event/inventory-pending');
    });
    // Between looks.
    await restart();
    // During looks: on this clock, a slow response takes until the clock advances.
    simulator.addFault({ method: 'GET', path: '/devices/5*', kind: 'slow', effect: 'after' });
    await until('a look is under way', async () =>
      (await summaries()).some(({ status }) => status === 'processing'),
    );
    await restart();
    simulator.clearFaults();
    clock.advance(HOUR_MS);
    await until('every event is completed', async () => {
      clock.advance(1000);
      return (await summaries()).every(({ status }) => status === 'completed');
    });
    const posts = simulator.calls().filter(({ method }) => method === 'POST');
    for (const { id } of devices) {
      expect(posts.filter(({ path }) => path === `/device_groups/41/devices/${id}`)).toHaveLength(1);
      const scripts = posts.filter(
        ({ path, body }) => path === '/script_jobs' && JSON.stringify(body).includes(`"${id}"`),
      );
      expect(scripts).toHaveLength(1);
    }
    // The rule that was decided before the kills has not acted again.
    expect(simulator.invitations()).toHaveLength(DEVICES);
  } finally {
    await endAllProcesses();
    client.disconnect();
    await simulator.close();
    await redis.stop();
    await folder.remove();
  }
});
