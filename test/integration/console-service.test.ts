import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { openSilences } from '../../src/alerts/silences.js';
import { startService } from '../../src/main.js';
import { until } from '../support/until.js';
import { useChat } from '../support/use-chat.js';
import { useWorld } from '../support/use-world.js';
import { ADMIN_TOKEN } from '../support/world.js';
import { problemFrom } from './receiver/receiver.js';
import { singleShard } from '../../src/queues/shards.js';

const RULES = `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", secret: "\${env:HOOK_SECRET}", group_wait: 1s, service_alerts: true }
rules:
  - id: greet
    description: Tablets are greeted
    on: device.enrolled
    limit: { runs: 1, per: 1h }
    do: [notify: { channel: desk, title: "{{ device.name }} joined" }]
  - id: nightly
    on: { schedule: "0 3 * * *", timezone: Europe/Berlin }
    mode: dry_run
    do: [log: { message: night }]
  - { id: asleep, on: device.enrolled, enabled: false, do: [log: { message: never }] }
`;
const SECRET = `whsec_${Buffer.from('a secret of the test that is long').toString('base64')}`;

const world = useWorld();
const chat = useChat();

beforeEach(async () => {
  await world.start({
    rules: RULES,
    env: { HOOK_URL: `${chat.url}/path-that-is-secret`, HOOK_SECRET: SECRET },
  });
});

const authorized = { Authorization: `Bearer ${ADMIN_TOKEN}` };
const get = (path: string, url = world.service.url) => request(url).get(path).set(authorized);
const post = (path: string) => request(world.service.url).post(path).set(authorized);

const ruleProblem = z.strictObject({
  code: z.string(),
  message: z.string(),
  file: z.string(),
  line: z.number(),
  column: z.number(),
  text: z.string(),
});

const state = z.strictObject({
  ruleProblems: z.array(ruleProblem),
  referenceProblems: z.array(ruleProblem),
  held: z.array(
    z.strictObject({
      account: z.string(),
      rule: z.string(),
      since: z.string(),
      reason: z.string(),
      waitingRuns: z.number(),
      behindEarlierRuns: z.number(),
    }),
  ),
  undelivered: z.array(
    z.strictObject({
      id: z.string(),
      channel: z.string(),
      title: z.string(),
      alerts: z.number(),
      reason: z.string(),
      code: z.literal('channel/refused'),
      since: z.string(),
    }),
  ),
  // Tested in test/integration/approvals.
  approvals: z.array(z.never()),
});
const stateNow = async () => state.parse(JSON.parse((await get('/api/status').expect(200)).text));

test.each([
  ['get', '/api/status'],
  ['get', '/api/rules'],
  ['get', '/api/alerts'],
  ['get', '/api/queue'],
  ['post', '/api/held/default/greet/release'],
  ['post', '/api/held/default/greet/drop'],
  ['post', '/api/alerts/x/retry'],
  ['post', '/api/alerts/x/drop'],
  ['post', '/api/approvals/x/approve'],
  ['post', '/api/approvals/x/reject'],
] as const)('%s %s needs the token', async (method, path) => {
  expect((await request(world.service.url)[method](path)).status).toBe(401);
});

test.each([
  ['cross-site', 403],
  ['same-site', 403],
  ['same-origin', 404],
])('a write by a %s page gets %i', async (site, status) => {
  const response = await post('/api/held/default/greet/release').set('Sec-Fetch-Site', site);
  expect(response.status).toBe(status);
  expect(problemFrom(response.text).code).toBe(status === 403 ? 'http/cross-site' : 'http/not-found');
  expect((await get('/api/status').set('Sec-Fetch-Site', site)).status).toBe(200);
});

// A browser sends Sec-Fetch-Site to https and to the own machine only, and remembers Basic credentials.
test.each([
  ['http://evil.example', {}, 403],
  ['null', {}, 403],
  ['http://evil.example', { Host: 'reflex.example' }, 403],
  ['http://reflex.example', { Host: 'reflex.example' }, 404],
  ['http://reflex.example', { 'X-Forwarded-Host': 'reflex.example' }, 404],
])('a write by a page of %s with the headers %j gets %i', async (origin, headers, status) => {
  const basic = `Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString('base64')}`;
  const send = (authorization: string) =>
    request(world.service.url)
      .post('/api/approvals/x/approve')
      .set({ ...headers, Origin: origin, Authorization: authorization });
  expect((await send(basic)).status).toBe(status);
  expect((await send(`Bearer ${ADMIN_TOKEN}`)).status).toBe(404);
});

test('the queue shows what waits; its held runs agree with the state', async () => {
  world.simulator.enrollMany({ count: 3, kind: 'ipad' });
  const queue = z.looseObject({
    at: z.iso.datetime(),
    apiRate: z.number(),
    rows: z.array(z.looseObject({ rule: z.string().optional(), reason: z.string(), count: z.number() })),
    sweeps: z.array(z.never()),
    estimates: z.array(z.looseObject({ account: z.string(), lane: z.enum(['interactive', 'bulk']) })),
  });
  await until('two runs wait for a person', async () => {
    const { rows } = queue.parse(JSON.parse((await get('/api/queue').expect(200)).text));
    return rows.some(({ rule, reason, count }) => rule === 'greet' && reason === 'held' && count === 2);
  });
});

test('a held rule is reported with its waiting runs, and released or dropped', async () => {
  const held = (count: number) =>
    until(`${count} runs wait`, async () => {
      const [found] = (await stateNow()).held;
      return found?.waitingRuns === count && found;
    });
  world.simulator.enrollMany({ count: 3, kind: 'ipad' });
  expect(await held(2)).toMatchObject({
    account: 'default',
    rule: 'greet',
    reason: 'the limit of 1 run per 60 minutes is reached',
  });
  const rules = JSON.parse((await get('/api/rules')).text);
  expect(rules).toMatchObject({
    rules: [{ id: 'greet', held: [{ account: 'default', waitingRuns: 2 }] }, {}, {}],
  });

  const released = await post('/api/held/default/greet/release').expect(200);
  expect(JSON.parse(released.text)).toEqual({ account: 'default', rule: 'greet', done: 'released' });
  // One run starts now, and the other holds the rule again.
  await held(1);
  await post('/api/held/default/greet/drop').expect(200);
  await until('nothing is held', async () => (await stateNow()).held.length === 0);
  const gone = await post('/api/held/default/greet/drop').expect(404);
  expect(problemFrom(gone.text).detail).toContain('the rule "greet" is not held in the account "default"');
});

describe('an undelivered message', () => {
  async function undelivered() {
    chat.answerNext({ status: 404, body: 'no_service' });
    world.simulator.enroll({ kind: 'ipad', name: 'Ada' });
    return until('the message is undelivered', async () => (await stateNow()).undelivered[0]);
  }

  test('is reported, in /readyz as a number only, and sent again', async () => {
    const message = await undelivered();
    expect(message).toMatchObject({ channel: 'desk', title: 'Ada joined', alerts: 1 });
    expect(message.reason).toMatch(/returned 404: no_service$/);
    const readyz = await (await fetch(`${world.service.url}/readyz`)).text();
    expect(JSON.parse(readyz)).toMatchObject({
      undelivered_messages: 1,
      attention: ['1 message was not delivered: mdm-reflex alerts list'],
    });
    expect(readyz).not.toContain('desk');
    await post(`/api/alerts/${message.id}/retry`).expect(200);
    await until('the message arrives', () => chat.requests().length === 2);
    expect((await stateNow()).undelivered).toEqual([]);
    await post(`/api/alerts/${message.id}/retry`).expect(404);
  });

  test('is dropped', async () => {
    const { id } = await undelivered();
    await post(`/api/alerts/${id}/drop`).expect(200);
    expect((await stateNow()).undelivered).toEqual([]);
    const gone = await post(`/api/alerts/${id}/drop`).expect(404);
    expect(problemFrom(gone.text).detail).toContain(`there is no undelivered message "${id}"`);
  });
});

test('the problems of the rule files are reported in full, each with its place', async () => {
  await writeFile(world.env['RULES_PATH'] ?? '', RULES.replace('notify:', 'ntify:'));
  const { ruleProblems } = await until('the problem is reported', async () => {
    const found = await stateNow();
    return found.ruleProblems.length > 0 && found;
  });
  expect(ruleProblems).toEqual([
    {
      code: 'rule/unknown-action',
      message: 'unknown action "ntify"; did you mean "notify"?',
      file: world.env['RULES_PATH'],
      line: 9,
      column: expect.any(Number),
      text: expect.stringMatching(
        /rules\.yaml:9:\d+: unknown action "ntify".* \[rule\/unknown-action\]\n.*ntify: \{.*\n +\^/,
      ),
    },
  ]);
});

test('the loaded rules with their next ticks; channels without their secrets; silences', async () => {
  await openSilences(singleShard(world.client)).add({
    match: { rule: 'greet' },
    until: '2999-01-01T00:00:00.000Z',
    comment: 'the lab is rebuilt',
  });
  const rules = await until('the schedule is set', async () => {
    const { text } = await get('/api/rules').expect(200);
    return text.includes('"next"') && text;
  });
  expect(JSON.parse(rules)).toEqual({
    rules: [
      {
        id: 'greet',
        description: 'Tablets are greeted',
        enabled: true,
        on: ['device.enrolled'],
        mode: 'live',
        limit: { runs: 1, perMs: 3_600_000 },
        held: [],
      },
      {
        id: 'nightly',
        enabled: true,
        on: ['schedule.nightly'],
        schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
        mode: 'dry_run',
        next: expect.stringMatching(/^\d{4}-/),
        held: [],
      },
      { id: 'asleep', enabled: false, on: ['device.enrolled'], mode: 'live', held: [] },
    ],
  });
  const alerts = (await get('/api/alerts').expect(200)).text;
  expect(JSON.parse(alerts)).toEqual({
    undelivered: [],
    silences: [expect.objectContaining({ match: { rule: 'greet' }, comment: 'the lab is rebuilt' })],
    channels: [{ name: 'desk', type: 'webhook', serviceAlerts: true }],
  });
  for (const secret of ['path-that-is-secret', SECRET, 'HOOK_URL']) expect(alerts).not.toContain(secret);
});

test('a separate receiver reports the rules of the workers', async () => {
  const receiver = await startService({ env: { ...world.env, LOG_LEVEL: 'silent' }, roles: ['receiver'] });
  try {
    const { text } = await until('the receiver has the rules', async () => {
      const response = await get('/api/rules', receiver.url);
      return response.status === 200 && response;
    });
    expect(JSON.parse(text)).toMatchObject({ rules: [{ id: 'greet' }, { id: 'nightly' }, { id: 'asleep' }] });
    await world.service.stop();
    await world.client.del('mdm-reflex:rules-report');
    const none = await get('/api/rules', receiver.url).expect(503);
    expect(problemFrom(none.text)).toMatchObject({
      code: 'http/no-worker',
      detail: expect.stringContaining('no worker runs'),
    });
  } finally {
    await receiver.stop();
  }
});
