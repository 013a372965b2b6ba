import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startSimulator } from '../../simulator/start.js';
import { findEvents } from '../../src/journal/find-events.js';
import { endAllProcesses, startReadyProcess, temporaryFolder } from '../support/process.js';
import { freePort, startTestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { openShards } from '../../src/queues/shards.js';

const RULES = `
rules:
  - id: onboard
    on: device.enrolled
    do:
      - assign_device_group: { group: Laptops }
      - run_script: { script: Say hi }
      - send_invitation: { enrollment: 6, contact: "{{ event.data.device.serial_number }}@example.org" }
`;

afterEach(endAllProcesses);

test('a service that is killed several times during its work loses no event and starts no script twice', async () => {
  const DEVICES = 40;
  const folder = await temporaryFolder({ 'rules.yaml': RULES });
  const redis = await startTestRedis();
  const simulator = await startSimulator({ apiKey: 'api-key-of-the-test' });
  const client = new Redis(redis.url);
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
        WORKER_CONCURRENCY: '4',
        JOB_LOCK_MS: '5000',
        RETRY_BASE_MS: '50',
        RETRY_MAX_MS: '500',
      });
    let service = await start();
    simulator.setWebhook({ url: `${service.url}/webhooks/simplemdm`, token: 'webhook-token-of-the-test' });
    const devices = Array.from({ length: DEVICES }, () => simulator.enroll({ kind: 'macbook' }));
    await simulator.webhooksSettled();
    expect(
      simulator
        .webhookDeliveries()
        .filter((delivery) => delivery.type === 'device.enrolled')
        .map((delivery) => delivery.status),
    ).toEqual(Array.from({ length: DEVICES }, () => 202));
    // Slow responses, so that each kill happens during calls.
    simulator.addFault({ method: 'POST', kind: 'slow', delayMs: 30, effect: 'after' });
    for (const share of [0.15, 0.4, 0.65]) {
      await until(
        `${share * 100} % of the scripts were started`,
        () => simulator.scriptJobs().length >= DEVICES * share,
      );
      service.kill('SIGKILL');
      await service.ended;
      service = await start();
    }
    await until('every event is completed', async () => {
      const { events } = await findEvents(openShards(client), { type: 'device.enrolled', limit: 100 });
      return events.length === DEVICES && events.every((event) => event.status === 'completed');
    });
    const posts = simulator.calls().filter((call) => call.method === 'POST');
    for (const device of devices) {
      expect(posts.some((call) => call.path === `/device_groups/41/devices/${device.id}`)).toBe(true);
      expect(
        simulator
          .invitations()
          .some((invitation) => invitation.contact === `${device.serialNumber}@example.org`),
      ).toBe(true);
    }
    const jobsPerDevice = devices.map(
      (device) =>
        posts.filter(
          (call) => call.path === '/script_jobs' && JSON.stringify(call.body).includes(`"${device.id}"`),
        ).length,
    );
    expect(jobsPerDevice).toEqual(devices.map(() => 1));
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  } finally {
    await endAllProcesses();
    client.disconnect();
    await simulator.close();
    await redis.stop();
    await folder.remove();
  }
});
