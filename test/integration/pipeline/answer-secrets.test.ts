import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { findTrace } from '../../../src/journal/find-events.js';
import { openRunQueue } from '../../../src/queues/queues.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const TOKEN = 'tok-4711-secret/with+signs';
const PIN = 'pin-0815-of-the-answer';
const LATER = 'later-secret-2342';

interface Request {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

const world = useWorld();
let server: Server;
let origin = '';
let requests: Request[] = [];
let answers: Record<string, [number, string]> = {};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const path = request.url ?? '';
      requests.push({ path, authorization: request.headers.authorization, body });
      const [status, text] = answers[path.split('?')[0] ?? ''] ?? [200, '{}'];
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
});

afterEach(() => {
  requests = [];
  answers = {};
});

afterAll(() => new Promise((resolve) => void server.close(resolve)));

async function expectSecretsNowhere(current: World, id: string, secrets: readonly string[]): Promise<void> {
  const auth = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
  const places = {
    redis: await everythingIn(current.client),
    log: current.log(),
    trace: await (await fetch(`${current.service.url}/api/events/${id}`, auth)).text(),
    metrics: await (await fetch(`${current.service.url}/metrics`)).text(),
  };
  expect(places.redis).toContain('[redacted]');
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets) {
      const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
      expect({ place, secret, found: forms.some((form) => text.includes(form)) }).toEqual({
        place,
        secret,
        found: false,
      });
    }
  }
}

const rules = (steps: string, more = ''): string => `
rules:
  - id: talk
    on: test_event
    do:
${steps}
${more}`;

describe('secrets in answers', () => {
  test('are used by later steps, also after a restart, and are nowhere in clear', async () => {
    answers = {
      '/login': [
        200,
        JSON.stringify({ accessToken: TOKEN, user: { pin: PIN, name: 'Ada' }, again: `x ${TOKEN}` }),
      ],
      '/session': [200, JSON.stringify({ session: TOKEN, refresh_token: LATER })],
      '/fails': [403, JSON.stringify({ error: `bad ${TOKEN}`, password: 'pw-of-the-error-page' })],
    };
    await world.start({
      rules: rules(
        `
      - id: login
        http_request: { method: POST, url: "${origin}/login", redact: [pin] }
      - id: session
        http_request: { url: "${origin}/session?t={{ steps.login.json.accessToken | url_encode }}" }
      - wait: 1s
      - http_request:
          method: POST
          url: "${origin}/use/{{ steps.login.json.user.pin }}"
          headers: { Authorization: "Bearer {{ steps.login.json.accessToken }}" }
          json: { body: "{{ steps.login.body }}", session: "{{ steps.session.json.session }}" }
      - log: "{{ steps.login.json.accessToken }} {{ steps.session.body }} \\"quoted\\""
      - if: steps.login.json.user.pin == "nothing"
        log: never
      - notify: { channel: chat, title: "token {{ steps.login.json.accessToken }}", text: "{{ steps.login.body }}" }
      - emit: { type: my.event, data: { token: "{{ steps.login.json.accessToken }}" } }
      - http_request: { method: POST, url: "${origin}/fails" }
`,
        `channels:
  chat: { type: webhook, url: "${origin}/chat" }
`,
      ),
    });
    world.simulator.sendTestEvent();
    await until('the run waits', () => requests.length === 2);
    await world.restartService();
    const trace = await world.settled('test_event');
    const login = JSON.parse(answers['/login']?.[1] ?? '');
    expect(requests.slice(0, 3)).toMatchObject([
      { path: '/login' },
      { path: `/session?t=${encodeURIComponent(TOKEN)}` },
      { path: `/use/${PIN}`, authorization: `Bearer ${TOKEN}` },
    ]);
    expect(JSON.parse(requests[2]?.body ?? '')).toEqual({ body: JSON.stringify(login), session: TOKEN });

    const steps = trace.runs[0]?.steps ?? [];
    // The body is stored once.
    expect(steps[0]?.output).toEqual({
      status_code: 200,
      json: { accessToken: '[redacted]', user: { pin: '[redacted]', name: 'Ada' }, again: 'x [redacted]' },
    });
    expect(steps[1]?.output).toEqual({
      status_code: 200,
      json: { session: '[redacted]', refresh_token: '[redacted]' },
    });
    expect(steps[3]?.calls[0]?.path).toBe(`${origin}/use/[redacted]`);
    expect(steps[5]).toMatchObject({ status: 'skipped', reason: expect.stringContaining('[redacted]') });
    expect(steps[8]?.reason).toMatch(/403: \{"error":"bad \[redacted\]","password":"\[redacted\]"\}/);
    expect(JSON.stringify(trace)).not.toContain('sealed');
    const emitted = await world.settled('my.event', ['no_match']);
    expect(emitted.data).toEqual({ token: '[redacted]' });
    await until('the alert is sent', () => requests.some(({ path }) => path === '/chat'));
    expect(requests.find(({ path }) => path === '/chat')?.body).toContain('token [redacted]');
    await expectSecretsNowhere(world, trace.id, [TOKEN, PIN, LATER, 'pw-of-the-error-page']);
  });

  test('in a list that for_each goes through, and in the answers of its items', async () => {
    answers = {
      '/users': [
        200,
        JSON.stringify({
          users: [
            { name: 'a', password: `${PIN}-a` },
            { name: 'b', password: `${PIN}-b` },
          ],
        }),
      ],
      '/one': [200, JSON.stringify({ id_token: TOKEN })],
    };
    await world.start({
      rules: rules(`
      - id: users
        http_request: { url: "${origin}/users" }
      - id: each
        for_each: steps.users.json.users
        http_request: { method: POST, url: "${origin}/one", json: { password: "{{ item.password }}" } }
      - http_request:
          method: POST
          url: "${origin}/end"
          json: { token: "{{ steps.each.items[1].json.id_token }}", body: "{{ steps.each.items[0].body }}" }
`),
    });
    world.simulator.sendTestEvent();
    const trace = await world.settled('test_event');
    expect(trace.status).toBe('completed');
    expect(requests.map(({ body }) => body)).toEqual([
      '',
      JSON.stringify({ password: `${PIN}-a` }),
      JSON.stringify({ password: `${PIN}-b` }),
      JSON.stringify({ token: TOKEN, body: JSON.stringify({ id_token: TOKEN }) }),
    ]);
    expect(trace.runs[0]?.steps[1]?.items).toEqual([
      { name: 'a', password: '[redacted]' },
      { name: 'b', password: '[redacted]' },
    ]);
    await expectSecretsNowhere(world, trace.id, [TOKEN, `${PIN}-a`, `${PIN}-b`]);
  });

  test('an answer that is not JSON, or says more than its JSON, is stored as text; both outputs work', async () => {
    const odd = '{ "id": 12345678901234567890, "version": 26.10, "api_key": "key-4711-abc" }';
    answers = { '/form': [200, 'access_token=tok-of-a-form&scope=x'], '/odd': [200, odd] };
    await world.start({
      rules: rules(`
      - id: form
        http_request: { url: "${origin}/form" }
      - id: odd
        http_request: { url: "${origin}/odd" }
      - http_request: { method: POST, url: "${origin}/end", json: { form: "{{ steps.form.body }}", odd: "{{ steps.odd.body }}", key: "{{ steps.odd.json.api_key }}", id: "{{ steps.odd.json.id }}" } }
`),
    });
    world.simulator.sendTestEvent();
    const trace = await world.settled('test_event');
    expect(JSON.parse(requests[2]?.body ?? '')).toEqual({
      form: 'access_token=tok-of-a-form&scope=x',
      odd,
      key: 'key-4711-abc',
      // Not rounded.
      id: '12345678901234567890',
    });
    const outputs = trace.runs[0]?.steps.slice(0, 2).map(({ output }) => output);
    expect(outputs).toEqual([
      { status_code: 200, body: 'access_token=[redacted]&scope=x' },
      { status_code: 200, body: '{ "id": 12345678901234567890, "version": 26.10, "api_key": "[redacted]" }' },
    ]);
    await expectSecretsNowhere(world, trace.id, ['tok-of-a-form', 'key-4711-abc']);
  });

  test('a run whose secrets cannot be decrypted fails and says why: never is "[redacted]" sent', async () => {
    answers = { '/login': [200, JSON.stringify({ access_token: TOKEN })] };
    await world.start({
      rules: rules(`
      - id: login
        http_request: { url: "${origin}/login" }
      - wait: 1s
      - http_request: { method: POST, url: "${origin}/use", json: { token: "{{ steps.login.json.access_token }}" } }
`),
    });
    world.simulator.sendTestEvent();
    const runs = openRunQueue(singleShard(world.client), {
      repeatWindowDays: 7,
      deadLetterDays: 90,
      attempts: 1,
    });
    world.beforeStop(() => runs.close());
    const job = await until('the run waits', async () => (await runs.getDelayed())[0]);
    await world.service.stop();
    // Another key gives other bytes; so do changed ones.
    const [login, ...rest] = job.data.steps;
    if (login?.sealed === undefined) throw new Error('the step has no secrets');
    const sealed = Buffer.from(login.sealed, 'base64');
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    await job.updateData({ ...job.data, steps: [{ ...login, sealed: sealed.toString('base64') }, ...rest] });
    await world.restartService();
    const failed = await until('the run fails', async () => {
      const found = await findTrace(openShards(world.client), job.data.event.id);
      return found?.status === 'failed' ? found : undefined;
    });
    expect(failed.runs[0]).toMatchObject({
      code: 'run/sealed-secrets',
      reason: expect.stringMatching(/encrypted under another API key/),
    });
    expect(requests.map(({ path }) => path)).toEqual(['/login']);
  });
});
