import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import request from 'supertest';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import {
  HOOK,
  SECOND_TOKEN,
  TOKEN,
  enrolled,
  problemFrom,
  rawExchange,
  send,
  startReceiver,
  acceptedFrom,
} from './receiver.js';
import type { Receiver } from './receiver.js';

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

let redis: TestRedis;
let client: Redis;
let folder: string;
// Each test has its own receiver, because wrong tokens are counted per process and address.
let receiver: Receiver | undefined;

beforeAll(async () => {
  redis = await startTestRedis();
  client = new Redis(redis.url);
  folder = await mkdtemp(join(tmpdir(), 'mdm-reflex-test-accounts-'));
});

beforeEach(() => client.flushall());

afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

async function started(env: Readonly<Record<string, string>> = {}): Promise<Receiver> {
  receiver = await startReceiver(redis.url, env);
  return receiver;
}

async function twoAccounts(): Promise<Receiver> {
  const file = join(folder, 'accounts.yaml');
  await writeFile(
    file,
    `accounts:\n  north: { api_key: "key-of-the-north", webhook_token: "${TOKEN}" }\n  south: { api_key: "key-of-the-south", webhook_token: "\${env:SOUTH_TOKEN}" }\n`,
  );
  return started({ ACCOUNTS_FILE: file, SOUTH_TOKEN: SECOND_TOKEN, WEBHOOK_TOKEN: '' });
}

async function expectUnauthorized(sent: request.Test): Promise<void> {
  const response = await sent;
  expect(response.status).toBe(401);
  expect(problemFrom(response.text)).toMatchObject({
    code: 'webhook/invalid-token',
    detail: expect.stringMatching(/token is missing or wrong.*WEBHOOK_TOKEN/),
  });
  expect(response.headers['www-authenticate']).toMatch(/^Basic realm=/);
  expect(await client.keys('*:journal:*')).toEqual([]);
  expect(await client.keys('*:events:wait')).toEqual([]);
}

describe('where the token may be', () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['in the path', HOOK, {}],
    ['in the path, percent-encoded', HOOK.replace('webhook-token', '%77ebhook-token'), {}],
    ['in the path after the account', `/webhooks/simplemdm/default/${TOKEN}`, {}],
    [
      'in the path, with other tokens in the headers',
      HOOK,
      { 'X-Webhook-Token': 'x', Authorization: 'Bearer x' },
    ],
    ['X-Webhook-Token', '/webhooks/simplemdm', { 'X-Webhook-Token': TOKEN }],
    ['X-Webhook-Token for an account', '/webhooks/simplemdm/default', { 'X-Webhook-Token': TOKEN }],
    ['Bearer', '/webhooks/simplemdm', { Authorization: `Bearer ${TOKEN}` }],
    ['Bearer in small letters', '/webhooks/simplemdm', { Authorization: `bearer ${TOKEN}` }],
    ['Bearer for an account', '/webhooks/simplemdm/default', { Authorization: `Bearer ${TOKEN}` }],
    ['Basic password', '/webhooks/simplemdm', { Authorization: basic('simplemdm', TOKEN) }],
    ['Basic user name', '/webhooks/simplemdm', { Authorization: basic(TOKEN, '') }],
    ['Basic user name with any password', '/webhooks/simplemdm', { Authorization: basic(TOKEN, 'x') }],
    ['Basic user name and password', '/webhooks/simplemdm', { Authorization: basic(TOKEN, TOKEN) }],
    [
      'a header of public set-ups for SimpleMDM',
      '/webhooks/simplemdm',
      { 'X-SIMPLEMDM-WEBHOOK-SECRET': TOKEN },
    ],
    [
      'one header, with something else in another one',
      '/webhooks/simplemdm',
      { 'X-Webhook-Token': TOKEN, Authorization: basic('proxy', 'password-of-the-proxy') },
    ],
    ['Basic password without a user', '/webhooks/simplemdm', { Authorization: basic('', TOKEN) }],
    [
      'Basic password for an account',
      '/webhooks/simplemdm/default',
      { Authorization: basic('anybody', TOKEN) },
    ],
  ])('%s', async (_name, path, headers) => {
    const { url } = await started();
    const response = await request(url).post(path).set(headers).send(enrolled(1));
    expect(response.status).toBe(202);
    expect(response.body.duplicate).toBe(false);
  });

  test('credentials in the URL, as an admin types them', async () => {
    const { url } = await started();
    const response = await request(url.replace('//', `//simplemdm:${TOKEN}@`))
      .post('/webhooks/simplemdm')
      .send(enrolled(1));
    expect(response.status).toBe(202);
  });
});

test('WEBHOOK_TOKEN_HEADER names another header; the default ones still work', async () => {
  const { url } = await started({ WEBHOOK_TOKEN_HEADER: 'X-Fleet-Token' });
  for (const header of ['x-fleet-token', 'X-Webhook-Token', 'X-SimpleMDM-Webhook-Secret']) {
    const response = await request(url).post('/webhooks/simplemdm').set(header, TOKEN).send(enrolled(1));
    expect({ header, status: response.status }).toEqual({ header, status: 202 });
  }
  await request(url).post('/webhooks/simplemdm').set('X-Fleet-Token', 'wrong').send(enrolled(1)).expect(401);
});

describe('401', () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['no token', '/webhooks/simplemdm', {}],
    ['a wrong token in the path', '/webhooks/simplemdm/wrong-token-0123456789', {}],
    ['only the account', '/webhooks/simplemdm/default', {}],
    ['a wrong token after the account', '/webhooks/simplemdm/default/wrong', {}],
    ['the right token after an unknown account', `/webhooks/simplemdm/nobody/${TOKEN}`, {}],
    ['an account named like a member of every object', `/webhooks/simplemdm/constructor/${TOKEN}`, {}],
    ['the beginning of the token', HOOK.slice(0, -1), {}],
    ['the token and more', `${HOOK}x`, {}],
    ['the token in other letters', HOOK.replace(TOKEN, TOKEN.toUpperCase()), {}],
    ['a wrong X-Webhook-Token', '/webhooks/simplemdm', { 'X-Webhook-Token': 'wrong' }],
    ['an empty X-Webhook-Token', '/webhooks/simplemdm', { 'X-Webhook-Token': '' }],
    ['a wrong Bearer', '/webhooks/simplemdm', { Authorization: 'Bearer wrong' }],
    ['the token without a scheme', '/webhooks/simplemdm', { Authorization: TOKEN }],
    ['the token under another scheme', '/webhooks/simplemdm', { Authorization: `Digest ${TOKEN}` }],
    [
      'a wrong Basic user name and password',
      '/webhooks/simplemdm',
      { Authorization: basic('wrong', 'wrong') },
    ],
    ['the token in a header that is not set up', '/webhooks/simplemdm', { 'X-Fleet-Token': TOKEN }],
    ['Basic that is no base64', '/webhooks/simplemdm', { Authorization: 'Basic %%%' }],
    [
      'Basic without a colon',
      '/webhooks/simplemdm',
      { Authorization: `Basic ${Buffer.from(TOKEN).toString('base64')}` },
    ],
    ['the admin token', '/webhooks/simplemdm/admin-token-of-the-test-4711', {}],
    ['the token in the query', `/webhooks/simplemdm?token=${TOKEN}`, {}],
    ['both tokens as the setting has them', `/webhooks/simplemdm/${TOKEN},${SECOND_TOKEN}`, {}],
  ])('%s', async (_name, path, headers) => {
    const { url } = await started({ WEBHOOK_TOKEN: `${TOKEN},${SECOND_TOKEN}` });
    await expectUnauthorized(request(url).post(path).set(headers).send(enrolled(1)));
  });

  test('comes before any problem of the body', async () => {
    const { url } = await started();
    for (const body of ['{', '', '[]', 'x'.repeat(300_000)]) {
      const reply = await send(url, '/webhooks/simplemdm/wrong', { body });
      expect(reply.status).toBe(401);
    }
    const notJson = await send(url, '/webhooks/simplemdm/wrong', {
      headers: { 'content-type': 'text/plain' },
    });
    expect(notJson.status).toBe(401);
  });

  test('a huge body is rejected immediately and not read', async () => {
    const { port } = await started();
    const head = 'POST /webhooks/simplemdm/wrong HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    for (const framing of ['Content-Length: 1000000000000', 'Transfer-Encoding: chunked']) {
      // The connection closes although no body arrives.
      const reply = await rawExchange(port, `${head}${framing}\r\n\r\n`);
      expect(reply).toMatch(/^HTTP\/1\.1 401 /);
      expect(reply).toMatch(/\r\nConnection: close\r\n/);
      expect(reply).toMatch(/application\/problem\+json/);
    }
  });

  test('a sender with Expect: 100-continue is rejected too', async () => {
    const { port } = await started();
    const reply = await rawExchange(
      port,
      'POST /webhooks/simplemdm/wrong HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(reply).toMatch(/HTTP\/1\.1 401 /);
  });
});

test('rotation: the old and the new token are both valid', async () => {
  const { url } = await started({ WEBHOOK_TOKEN: ` ${TOKEN} , ${SECOND_TOKEN},` });
  const first = await request(url).post(HOOK).send(enrolled(1));
  const second = await request(url).post(`/webhooks/simplemdm/${SECOND_TOKEN}`).send(enrolled(1));
  expect(first.status).toBe(202);
  expect(second.body).toEqual({ id: first.body.id, duplicate: true });
});

describe('several accounts', () => {
  test('each account has its own token; the same webhook for another account is another event', async () => {
    const { url } = await twoAccounts();
    const north = await request(url).post(`/webhooks/simplemdm/north/${TOKEN}`).send(enrolled(1));
    const south = await request(url).post(`/webhooks/simplemdm/south/${SECOND_TOKEN}`).send(enrolled(1));
    const southAgain = await request(url)
      .post('/webhooks/simplemdm/south')
      .set('Authorization', `Bearer ${SECOND_TOKEN}`)
      .send(enrolled(1));
    expect([north.status, south.status, southAgain.status]).toEqual([202, 202, 202]);
    expect(south.body).toMatchObject({ duplicate: false });
    expect(south.body.id).not.toBe(north.body.id);
    expect(southAgain.body).toEqual({ id: south.body.id, duplicate: true });
  });

  test('the token of one account works neither for another account nor for the path without an account', async () => {
    const { url } = await twoAccounts();
    for (const path of [
      `/webhooks/simplemdm/north/${SECOND_TOKEN}`,
      `/webhooks/simplemdm/south/${TOKEN}`,
      `/webhooks/simplemdm/${TOKEN}`,
      `/webhooks/simplemdm/default/${TOKEN}`,
      '/webhooks/simplemdm/north',
    ]) {
      await expectUnauthorized(request(url).post(path).send(enrolled(1)));
    }
  });
});

describe('429', () => {
  test('after many wrong tokens, with Retry-After; the right token still works', async () => {
    const { url } = await started();
    const wrong = () => request(url).post('/webhooks/simplemdm/wrong').send(enrolled(1));
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) statuses.push((await wrong()).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    const limited = await wrong();
    expect(limited.status).toBe(429);
    expect(limited.headers['retry-after']).toBe('60');
    expect(limited.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(problemFrom(limited.text)).toMatchObject({
      status: 429,
      code: 'webhook/too-many-wrong-tokens',
      detail: expect.stringMatching(/wrong webhook tokens/),
    });
    expect((await request(url).post(HOOK).send(enrolled(1))).status).toBe(202);
    expect((await wrong()).status).toBe(429);
  });

  test('a burst of valid webhooks is never limited', async () => {
    const { url } = await started();
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        send(url, HOOK, { body: JSON.stringify(enrolled(index + 1)) }),
      ),
    );
    expect(replies.filter(({ text }) => !acceptedFrom(text).duplicate)).toHaveLength(60);
  });

  test('behind a proxy, tokens count per sender and not per proxy', async () => {
    const { url } = await started({ TRUST_PROXY: '1' });
    const from = (address: string) =>
      request(url).post('/webhooks/simplemdm/wrong').set('X-Forwarded-For', address).send({});
    for (let attempt = 0; attempt < 20; attempt += 1) await from('203.0.113.7');
    expect((await from('203.0.113.7')).status).toBe(429);
    expect((await from('203.0.113.8')).status).toBe(401);
  });

  test('without a proxy, a header does not reset the count', async () => {
    const { url } = await started();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await request(url)
        .post('/webhooks/simplemdm/wrong')
        .set('X-Forwarded-For', `203.0.113.${attempt}`)
        .send({});
    }
    const last = await request(url)
      .post('/webhooks/simplemdm/wrong')
      .set('X-Forwarded-For', '198.51.100.1')
      .send({});
    expect(last.status).toBe(429);
  });
});
