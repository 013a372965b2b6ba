import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { openAlertStore } from '../../src/alerts/alert-store.js';
import { deliveryPolicyFrom } from '../../src/alerts/delivery-policy.js';
import { endAllProcesses, startReadyProcess, temporaryFolder } from '../support/process.js';
import { startTestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { alertAbout } from '../unit/channels/messages.js';
import { singleShard } from '../../src/queues/shards.js';

const MESSAGES = 30;
const CALM = { group_by: ['title'], group_wait: '1s', limit: { messages: 100, per: '1m' } };
/** The sender is killed after these messages, before it has the response. */
const KILLED_AT = [5, 17];

const posted = z.object({ data: z.object({ id: z.string(), title: z.string() }) });
type Posted = z.output<typeof posted>['data'];

afterEach(endAllProcesses);

/** A chat service that records messages and leaves some of them without a response. */
async function startSlowChat() {
  const arrived: Posted[] = [];
  const unanswered = [...KILLED_AT];
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        arrived.push(posted.parse(JSON.parse(body)).data);
        if (arrived.length === unanswered[0]) unanswered.shift();
        else response.end('ok');
      },
      // The sender was killed during the request.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/hook`, arrived, close };
}

test('a killed sender loses no message and keeps the order; only the message in delivery is sent twice', async () => {
  const chat = await startSlowChat();
  const folder = await temporaryFolder({
    'rules.yaml': JSON.stringify({
      channels: { 'it-chat': { type: 'webhook', url: chat.url, ...CALM } },
      rules: [],
    }),
  });
  const redis = await startTestRedis();
  const client = new Redis(redis.url);
  try {
    const titles = Array.from({ length: MESSAGES }, (_unused, index) => `message ${index + 1}`);
    const store = openAlertStore(singleShard(client));
    let last = 0;
    for (const title of titles) {
      // Messages are in the order of their times.
      await until('a later millisecond', () => Date.now() > last);
      last = Date.now();
      await store.add(alertAbout(title, { title }), deliveryPolicyFrom(CALM));
    }
    const start = () =>
      startReadyProcess('serve', {
        REDIS_URL: redis.url,
        RULES_PATH: `${folder.path}/rules.yaml`,
        // Nothing listens there, and the test needs no API.
        SIMPLEMDM_API_KEY: 'api-key-of-the-test',
        SIMPLEMDM_BASE_URL: 'http://127.0.0.1:9',
        WEBHOOK_TOKEN: 'webhook-token-of-the-test',
        JOB_LOCK_MS: '5000',
      });
    let service = await start();
    for (const count of KILLED_AT) {
      await until(`${count} have arrived`, () => chat.arrived.length === count);
      service.kill('SIGKILL');
      await service.ended;
      service = await start();
    }
    await until('the channel is idle', async () => (await store.busyChannels()).length === 0);
    const inOrder = chat.arrived.filter(({ id }, index) => chat.arrived[index - 1]?.id !== id);
    expect(inOrder.map(({ title }) => title)).toEqual(titles);
    expect(new Set(inOrder.map(({ id }) => id)).size).toBe(MESSAGES);
    expect(chat.arrived).toHaveLength(MESSAGES + KILLED_AT.length);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  } finally {
    await endAllProcesses();
    client.disconnect();
    await chat.close();
    await redis.stop();
    await folder.remove();
  }
});
