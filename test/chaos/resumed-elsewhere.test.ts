import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startSimulator } from '../../simulator/start.js';
import { findEvents, findTrace } from '../../src/journal/find-events.js';
import { openShards } from '../../src/queues/shards.js';
import { endAllProcesses, startReadyProcess, temporaryFolder } from '../support/process.js';
import { startTestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const RULES = `
rules:
  - id: onboard
    on: device.enrolled
    do:
      - run_script: { script: Say hi }
      - assign_device_group: { group: Laptops }
`;

afterEach(endAllProcesses);

test('a worker that is killed in the middle of a call: another worker resumes the step, and the script starts once', async () => {
  const folder = await temporaryFolder({ 'rules.yaml': RULES });
  const redis = await startTestRedis();
  const simulator = await startSimulator({ apiKey: 'api-key-of-the-test' });
  const client = new Redis(redis.url);
  const shards = openShards(client);
  try {
    const env = {
      REDIS_URL: redis.url,
      RULES_PATH: `${folder.path}/rules.yaml`,
      SIMPLEMDM_API_KEY: 'api-key-of-the-test',
      SIMPLEMDM_BASE_URL: simulator.url,
      WEBHOOK_TOKEN: 'webhook-token-of-the-test',
      JOB_LOCK_MS: '1000',
      RETRY_BASE_MS: '50',
      RETRY_MAX_MS: '500',
    };
    const receiver = await startReadyProcess('receiver', env);
    const doomed = await startReadyProcess('worker', env);
    simulator.setWebhook({
      url: `${receiver.url}/webhooks/simplemdm`,
      token: 'webhook-token-of-the-test',
    });
    // The script starts, and the answer never comes.
    simulator.addFault({ method: 'POST', path: '/script_jobs', kind: 'hang', effect: 'after', times: 1 });
    const device = simulator.enroll({ kind: 'macbook' });
    await until('the worker has started the script', () => simulator.scriptJobs().length === 1);
    // It runs before the other one dies, so the resume does not come from a start.
    const heir = await startReadyProcess('worker', env);
    doomed.kill('SIGKILL');
    await doomed.ended;
    const callsBefore = simulator.calls().length;
    await until('the other worker has finished the event', async () => {
      const { events } = await findEvents(shards, { type: 'device.enrolled', limit: 1 });
      return events[0]?.status === 'completed';
    });
    const resumed = simulator
      .calls()
      .slice(callsBefore)
      .filter(({ path }) => !['/account', '/scripts', '/device_groups'].includes(path))
      .map(({ method, path }) => `${method} ${path}`);
    // It looks for the script job of the lost call, and goes on with the next step.
    expect(resumed[0]).toMatch(/^GET \/script_jobs/);
    expect(resumed.filter((call) => call.startsWith('POST'))).toEqual([
      `POST /device_groups/41/devices/${device.id}`,
    ]);
    expect(simulator.scriptJobs()).toHaveLength(1);
    const [found] = (await findEvents(shards, { type: 'device.enrolled', limit: 1 })).events;
    const trace = await findTrace(shards, found?.id ?? '');
    expect(trace?.runs.map(({ steps }) => steps.map(({ status }) => status))).toEqual([
      ['completed', 'completed'],
    ]);
    expect(heir.output()).toContain('event/worker-lost');
  } finally {
    await endAllProcesses();
    client.disconnect();
    await simulator.close();
    await redis.stop();
    await folder.remove();
  }
});
