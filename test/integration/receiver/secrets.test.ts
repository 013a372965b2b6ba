import { expect, test } from '@jest/globals';
import { findEvents } from '../../../src/journal/find-events.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useSharedWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN, API_KEY, WEBHOOK_TOKEN } from '../../support/world.js';
import { enrolled, send } from './receiver.js';
import type { Reply } from './receiver.js';
import { openShards } from '../../../src/queues/shards.js';

const RULE_SECRET = 'secret-of-a-rule-0815';

const rules = `
rules:
  - id: talk
    on: device.*
    if: device.serial_number != "nothing"
    do:
      - log: { message: "{{ device.name }} says \${env:RULE_SECRET}" }
      - run_script: { script: "Say hi" }
  - id: everything
    on: device.*
    if: apps.size() > 0 || logs.size() > 0 || attributes.size() > 0
    do:
      - log: { message: "seen" }
`;

const world = useSharedWorld({ rules, env: { RULE_SECRET, LOG_LEVEL: 'trace' } });
const answers: Reply[] = [];

const basic = (text: string): string => Buffer.from(text).toString('base64');

/** The secrets in every form in which they are sent. */
function forms(): string[] {
  const mac = world.simulator.device(54)?.attributes;
  return [
    ...[WEBHOOK_TOKEN, ADMIN_TOKEN, API_KEY].flatMap((secret) => [
      secret,
      basic(`${secret}:`).slice(0, -4),
      basic(`:${secret}`).slice(0, -4),
      basic(`simplemdm:${secret}`).slice(14, -4),
    ]),
    RULE_SECRET,
    mac?.filevault_recovery_key ?? '',
    mac?.recovery_lock_password ?? '',
    'plum-harbour-72-quartz',
  ];
}

test('no secret in log lines, metrics, responses or Redis after traffic of every kind', async () => {
  const { url } = world.service;
  const hook = `/webhooks/simplemdm/${WEBHOOK_TOKEN}`;
  const post = async (
    path: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    answers.push(await send(url, path, { body, headers }));
  };
  const webhook = JSON.stringify(enrolled(54));
  await post(hook, webhook);
  await post(hook, webhook);
  await post('/webhooks/simplemdm', JSON.stringify(enrolled(98)), { 'x-webhook-token': WEBHOOK_TOKEN });
  await post('/webhooks/simplemdm', JSON.stringify(enrolled(121)), {
    authorization: `Bearer ${WEBHOOK_TOKEN}`,
  });
  await post('/webhooks/simplemdm', JSON.stringify(enrolled(56)), {
    authorization: `Basic ${basic(`simplemdm:${WEBHOOK_TOKEN}`)}`,
  });
  // An odd webhook is kept, and a response may quote the invalid input of its sender. Nothing may store a token.
  for (const [body, headers] of [
    ['{', { 'x-request-id': WEBHOOK_TOKEN }],
    [WEBHOOK_TOKEN, {}],
    [JSON.stringify({ ...enrolled(1), type: WEBHOOK_TOKEN, data: WEBHOOK_TOKEN, [WEBHOOK_TOKEN]: 1 }), {}],
    [webhook, { 'content-type': `text/${WEBHOOK_TOKEN}` }],
    [webhook, { 'content-encoding': WEBHOOK_TOKEN }],
    [webhook, { 'content-type': `application/json; charset=${WEBHOOK_TOKEN}` }],
  ] as const) {
    expect((await send(url, hook, { body, headers })).status).toBeLessThan(500);
  }
  await post(`${hook}%zz`, webhook);
  await post(`${hook}/${WEBHOOK_TOKEN}`, webhook);
  await post(`/nothing/${WEBHOOK_TOKEN}`, webhook);
  answers.push(await send(url, hook, { method: 'GET' }));
  await until('the event of the device with secrets is completed', async () => {
    const trace = await world.settled('device.enrolled');
    return trace.status === 'completed';
  });
  const api = async (path: string, method = 'GET'): Promise<void> => {
    answers.push(await send(url, path, { method, headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }));
  };
  await api('/api/events?limit=100');
  await until('all events are completed', async () => {
    const { events } = await findEvents(openShards(world.client), { limit: 100 });
    return events.length === 5 && events.every(({ status }) => ['completed', 'no_match'].includes(status));
  });
  for (const { id } of (await findEvents(openShards(world.client), { limit: 100 })).events) {
    await api(`/api/events/${id}`);
    await api(`/api/events/${id}/replay`, 'POST');
  }
  // A rejected API key: the error is logged, traced and stored with the account.
  world.simulator.addFault({ kind: 'status', status: 401, times: 1 });
  await post(hook, JSON.stringify(enrolled(117)));
  await until('the refusal is known', () => world.log().includes('refuses the API key'));
  answers.push(await send(url, '/readyz', { method: 'GET' }), await send(url, '/metrics', { method: 'GET' }));

  const places = {
    log: world.log(),
    answers: JSON.stringify(answers.map(({ headers, text }) => ({ headers, text }))),
    redis: await everythingIn(world.client),
  };
  expect(places.redis).toContain('device.enrolled');
  // The facts of the device with secrets were fetched and stored.
  expect(places.redis).toContain('MacBook Pro (14-inch, Nov 2023)');
  for (const [place, text] of Object.entries(places)) {
    for (const form of forms()) {
      expect(form.length).toBeGreaterThan(8);
      const at = text.indexOf(form);
      expect({ place, around: at < 0 ? '' : text.slice(Math.max(at - 120, 0), at + 60) }).toEqual({
        place,
        around: '',
      });
    }
  }
});
