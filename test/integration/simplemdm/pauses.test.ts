import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { failureOf } from './failure-of.js';
import { sendJson, startTinyServer } from './tiny-server.js';
import type { TinyServer } from './tiny-server.js';

const apiKey = 'api-key-of-the-client-test';
const start = Date.parse('2026-01-31T08:00:00.000Z');

let simulator: Simulator;
let time = start;
let tiny: TinyServer | undefined;

beforeAll(async () => {
  simulator = await startSimulator({ apiKey });
});

afterEach(async () => {
  await tiny?.close();
  tiny = undefined;
  simulator.clearFaults();
  simulator.clearCalls();
  time = start;
});

afterAll(() => simulator.close());

function client(account = 'default', key = apiKey): SimpleMdm {
  return createSimpleMdm({
    account,
    apiKey: key,
    baseUrl: simulator.url,
    timeoutMs: 5000,
    maxPauseWaitMs: 0,
    retries: 0,
    rate: { perSecond: 1000, burst: 1000 },
    now: () => time,
  });
}

async function expectPausedUntil(api: SimpleMdm, until: number): Promise<void> {
  simulator.clearCalls();
  for (const at of [start, start + 1, until - 1]) {
    time = at;
    const read = await failureOf(api.account.show());
    const write = await failureOf(api.deviceGroups.assignDevice(41, 54));
    for (const { failure } of [read, write]) {
      expect(failure).toMatchObject({ kind: 'paused', retryAt: until, mayHaveTakenEffect: false });
    }
    expect(read).toMatchObject({ isAccountUnavailable: true, isRetryable: true });
  }
  expect(simulator.calls()).toEqual([]);
  time = until;
  expect((await api.account.show()).attributes.name).toBe('SimpleMDM');
  expect(simulator.calls()).toHaveLength(1);
}

describe('a 429 pauses the account: no call is made until the pause ends', () => {
  test.each<[string, { retryAfter?: number; rateLimitReset?: number }, number]>([
    ['Retry-After', { retryAfter: 12 }, start + 12_000],
    ['a fraction of a second in Retry-After', { retryAfter: 0.5 }, start + 500],
    ['X-RateLimit-Reset in epoch seconds', { rateLimitReset: start / 1000 + 45 }, start + 45_000],
    ['both: Retry-After wins', { retryAfter: 3, rateLimitReset: start / 1000 + 45 }, start + 3000],
    ['neither: 30 seconds', {}, start + 30_000],
    ['an excessive wait is capped at one hour', { retryAfter: 1e9 }, start + 3_600_000],
  ])('%s', async (_name, headers, until) => {
    const api = client();
    simulator.addFault({ kind: 'status', status: 429, times: 1, ...headers });
    const error = await failureOf(api.account.show());
    expect(error.failure).toMatchObject({
      kind: 'response',
      status: 429,
      retryAt: until,
      mayHaveTakenEffect: false,
    });
    expect(error).toMatchObject({ isAccountUnavailable: true, isRetryable: true });
    await expectPausedUntil(api, until);
  });

  test.each<[string, string, number]>([
    ['a date', new Date(start + 90_000).toUTCString(), start + 90_000],
    ['a date in the past', 'Wed, 21 Oct 2015 07:28:00 GMT', start],
    ['nonsense', 'soon', start + 30_000],
    ['a negative number', '-5', start + 30_000],
  ])('Retry-After as %s', async (_name, value, until) => {
    tiny = await startTinyServer((_request, response) => {
      response.setHeader('retry-after', value);
      sendJson(response, { errors: [{ title: 'too many requests' }] }, 429);
    });
    const api = createSimpleMdm({
      account: 'default',
      apiKey,
      baseUrl: tiny.url,
      timeoutMs: 5000,
      maxPauseWaitMs: 0,
      now: () => time,
    });
    expect((await failureOf(api.account.show())).failure.retryAt).toBe(until);
  });

  test('a reset time in milliseconds pauses the account for one hour at most', async () => {
    const api = client();
    simulator.addFault({ kind: 'status', status: 429, times: 1, rateLimitReset: start + 10_000 });
    expect((await failureOf(api.account.show())).failure.retryAt).toBe(start + 3_600_000);
  });

  test('the message names the call and status that caused the pause', async () => {
    const api = client();
    simulator.addFault({ kind: 'status', status: 429, times: 1 });
    await failureOf(api.account.show());
    const error = await failureOf(api.devices.retrieve(54));
    expect(error.message).toMatch(/GET \/account .*429/);
    expect(error.failure).toMatchObject({ path: '/devices/54', method: 'GET' });
  });

  test('a later 429 with a shorter wait does not shorten the pause', async () => {
    const api = client();
    simulator.addFault({ kind: 'status', status: 429, times: 1, retryAfter: 60, path: '/account' });
    simulator.addFault({ kind: 'status', status: 429, times: 1, retryAfter: 1, path: '/devices/54' });
    await Promise.all([failureOf(api.account.show()), failureOf(api.devices.retrieve(54))]);
    await expectPausedUntil(api, start + 60_000);
  });

  test('other calls in flight still succeed', async () => {
    const api = client();
    simulator.addFault({ kind: 'status', status: 429, times: 1, retryAfter: 60, path: '/account' });
    const [refused, device] = await Promise.all([failureOf(api.account.show()), api.devices.retrieve(54)]);
    expect(refused.failure.status).toBe(429);
    expect(device.id).toBe(54);
  });

  test('another account is not paused', async () => {
    const paused = client('north');
    simulator.addFault({ kind: 'status', status: 429, times: 1 });
    await failureOf(paused.account.show());
    expect((await client('south').account.show()).attributes.name).toBe('SimpleMDM');
    expect((await failureOf(paused.account.show())).failure).toMatchObject({
      kind: 'paused',
      account: 'north',
    });
  });

  test('the client respects the rate limit of the simulator', async () => {
    const limited = await startSimulator({ apiKey, rateLimit: { perSecond: 0.1, burst: 3 } });
    const api = createSimpleMdm({
      account: 'default',
      apiKey,
      baseUrl: limited.url,
      timeoutMs: 5000,
      maxPauseWaitMs: 0,
      now: () => time,
    });
    for (let count = 0; count < 3; count += 1) await api.devices.retrieve(54 + (count % 2) * 2);
    const error = await failureOf(api.account.show());
    expect(error.failure).toMatchObject({
      status: 429,
      titles: ['too many requests'],
      retryAt: start + 10_000,
    });
    await failureOf(api.account.show());
    expect(limited.calls()).toHaveLength(4);
    await limited.close();
  });
});

describe('a 401 pauses the account', () => {
  test('for 15 seconds, then one call tests the key', async () => {
    const api = client('default');
    simulator.addFault({ kind: 'status', status: 401, times: 1 });
    const error = await failureOf(api.account.show());
    expect(error.failure.status).toBe(401);
    await expectPausedUntil(api, start + 15_000);
  });

  test('a wrong key is sent once per pause', async () => {
    const api = client('default', 'wrong-key');
    for (let second = 0; second < 60; second += 1) {
      time = start + second * 1000;
      const { failure } = await failureOf(api.account.show());
      expect(['paused', 'response']).toContain(failure.kind);
    }
    expect(simulator.calls()).toHaveLength(4);
  });
});

test.each([403, 404, 409, 422, 500, 503])('%i does not pause the account', async (status) => {
  const api = client();
  simulator.addFault({ kind: 'status', status, times: 1, retryAfter: 60 });
  await failureOf(api.account.show());
  expect((await api.account.show()).attributes.name).toBe('SimpleMDM');
});
