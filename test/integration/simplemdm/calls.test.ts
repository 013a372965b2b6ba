import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { withDefaults } from '../../../src/simplemdm/options.js';
import type { SimpleMdmOptions } from '../../../src/simplemdm/options.js';
import { createTransport } from '../../../src/simplemdm/transport.js';
import { fetchPage } from '../../../src/simplemdm/resource.js';
import { z } from 'zod';
import { freePort } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { all, failureOf } from './failure-of.js';
import { sendJson, startTinyServer } from './tiny-server.js';
import type { TinyServer } from './tiny-server.js';

const apiKey = 'api-key-of-the-client-test';
const readOnlyApiKey = 'read-only-key-of-the-test';

let simulator: Simulator;
let api: SimpleMdm;
const toClose: TinyServer[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ apiKey, readOnlyApiKey, delays: { groupChangeMs: 1, scriptJobMs: 1 } });
  api = client();
});

afterEach(async () => {
  simulator.clearFaults();
  simulator.clearCalls();
  await Promise.all(toClose.splice(0).map((server) => server.close()));
});

afterAll(() => simulator.close());

const options = (more: Partial<SimpleMdmOptions> = {}): SimpleMdmOptions => ({
  account: 'default',
  apiKey,
  baseUrl: simulator.url,
  timeoutMs: 5000,
  // retries.test.ts covers retries.
  retries: 0,
  rate: { perSecond: 1000, burst: 1000 },
  ...more,
});

function client(more: Partial<SimpleMdmOptions> = {}): SimpleMdm {
  return createSimpleMdm(options(more));
}

async function tiny(...args: Parameters<typeof startTinyServer>): Promise<TinyServer> {
  const server = await startTinyServer(...args);
  toClose.push(server);
  return server;
}

describe('calls as the reference documents them', () => {
  test('the key is the Basic user name with an empty password; the client accepts JSON', async () => {
    const headers: Record<string, unknown>[] = [];
    const { url } = await tiny((request, response) => {
      headers.push(request.headers);
      sendJson(response, { data: { type: 'account', attributes: { name: 'x' } } });
    });
    await client({ baseUrl: url }).account.show();
    expect(headers[0]).toMatchObject({
      authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}`,
      accept: 'application/json',
    });
  });

  test('every resource responds', async () => {
    expect((await api.account.show()).attributes.name).toBe('SimpleMDM');
    expect((await api.devices.retrieve(54)).attributes).toMatchObject({ name: "Priya's MacBook Pro" });
    expect((await all(api.devices.list())).map(({ id }) => id)).toEqual([54, 56, 98, 117, 121]);
    expect((await all(api.devices.list({ includeAwaitingEnrollment: true }))).map(({ id }) => id)).toContain(
      11,
    );
    expect((await all(api.devices.list({ search: 'DNFJE9DNG5MG' }))).map(({ id }) => id)).toEqual([121]);
    expect((await api.deviceGroups.retrieve(41)).attributes.name).toBe('Laptops');
    expect((await all(api.deviceGroups.list())).map(({ id }) => id)).toEqual([1, 37, 38, 41]);
    expect((await all(api.enrollments.list())).find(({ id }) => id === 7)?.attributes.url).toBeNull();
    expect((await all(api.scripts.list())).map(({ attributes }) => attributes.name)).toContain('Say hi');
    expect((await all(api.depServers.list())).map(({ id }) => id)).toEqual([1, 2]);
    expect(
      (await all(api.depServers.listDepDevices(1))).map(({ attributes }) => attributes.serial_number),
    ).toEqual(['C02XK1ZMJGH5', 'DMPZK4A1MF3M']);
    expect((await api.customAttributes.getValuesForDevice(54)).map(({ id }) => id)).toContain('department');
  });

  test('writes send form fields', async () => {
    expect(await api.deviceGroups.assignDevice(41, 121)).toBe(202);
    expect(await api.enrollments.sendInvitation(6, '+1 (503) 555-1212 & co'.replace(' & co', ''))).toBe(200);
    const job = await api.scriptJobs.create({ scriptId: 32, deviceIds: [54, 56] });
    expect(job.attributes.status).toBe('pending');
    expect((await all(api.scriptJobs.list())).map(({ id }) => id)).toContain(job.id);
    expect(simulator.calls().filter(({ method }) => method === 'POST')).toMatchObject([
      { path: '/device_groups/41/devices/121', body: {}, status: 202 },
      { path: '/enrollments/6/invitations', body: { contact: '+1 (503) 555-1212' }, status: 200 },
      { path: '/script_jobs', body: { script_id: '32', device_ids: '54,56' }, status: 201 },
    ]);
  });

  test('a search term with special characters is sent unchanged', async () => {
    const search = 'a&limit=1#ü%20+/?=';
    await all(api.devices.list({ search }));
    expect(simulator.calls()[0]?.query).toEqual({ search, limit: '100' });
  });
});

describe('paging', () => {
  test('134 apps in pages of 100, each once', async () => {
    const apps = await all(api.devices.listInstalledApps(54));
    expect(apps).toHaveLength(134);
    expect(new Set(apps.map(({ id }) => id)).size).toBe(134);
    expect(simulator.calls().map(({ query }) => query)).toEqual([
      { limit: '100' },
      { limit: '100', starting_after: String(apps[99]?.id) },
    ]);
    // Ids exceed 32 bits.
    expect(apps[0]?.id).toBeGreaterThan(2 ** 32);
  });

  test('pages of any size add up to the same list', async () => {
    const record = z.looseObject({ id: z.int() });
    const transport = createTransport(withDefaults(options()));
    const route = { route: '/devices/{DEVICE_ID}/installed_apps', params: { DEVICE_ID: 54 } };
    const whole = (await all(api.devices.listInstalledApps(54))).map(({ id }) => id);
    for (const limit of [1, 7, 67, 100]) {
      const ids: number[] = [];
      let more = true;
      while (more) {
        const startingAfter = ids.at(-1);
        const page = await fetchPage(transport, route, record, {
          limit,
          ...(startingAfter !== undefined && { startingAfter }),
        });
        ids.push(...page.data.map(({ id }) => id));
        more = page.hasMore;
      }
      expect(ids).toEqual(whole);
    }
  });

  test('a page is fetched only when the caller reaches it', async () => {
    for await (const app of api.devices.listInstalledApps(54)) {
      expect(app.id).toBeGreaterThan(0);
      break;
    }
    expect(simulator.calls()).toHaveLength(1);
  });

  test('cursors can be strings', async () => {
    for (let count = 0; count < 130; count += 1) simulator.enroll({ kind: 'iphone', webhook: false });
    const logs = await all(api.logs.list());
    expect(logs.length).toBeGreaterThan(130);
    expect(new Set(logs.map(({ id }) => id)).size).toBe(logs.length);
    const [first, second] = simulator.calls();
    expect(first?.query).toEqual({ limit: '100' });
    expect(second?.query).toEqual({ limit: '100', starting_after: logs[99]?.id });
    expect(logs[99]?.id).toMatch(/^[0-9a-f]+$/);
    const [own] = await all(api.logs.list({ serialNumber: 'ZP9XH0X52C' }));
    expect(own).toMatchObject({
      id: '964595dfd5be464a82cbb9019f55d82b',
      attributes: { at: '2022-06-01T11:26:19.000Z', level: 'info' },
    });
    for (const device of await all(api.devices.list()))
      if (device.id >= 500) simulator.unenroll(device.id, { webhook: false });
  });
});

describe('error responses', () => {
  test('401: the message says which setting to check', async () => {
    const error = await failureOf(client({ apiKey: 'wrong-key' }).account.show());
    expect(error.code).toBe('api/refused-key');
    expect(error.failure).toEqual({
      kind: 'response',
      account: 'default',
      method: 'GET',
      path: '/account',
      status: 401,
      titles: ['invalid API key'],
      mayHaveTakenEffect: false,
    });
    expect(error.message).toMatch(
      /GET \/account \(account default\) returned 401: invalid API key - .*SIMPLEMDM_API_KEY/,
    );
    expect(error.message).not.toContain('wrong-key');
    expect(error).toMatchObject({
      isAccountUnavailable: true,
      isRetryable: false,
      notFound: false,
    });
  });

  test('403: the message has the title of the API and the missing permission', async () => {
    const error = await failureOf(client({ apiKey: readOnlyApiKey }).deviceGroups.assignDevice(41, 54));
    expect(error.failure).toMatchObject({
      kind: 'response',
      status: 403,
      method: 'POST',
      mayHaveTakenEffect: false,
    });
    expect(error.message).toMatch(/This API Key does not have access to this resource\. - .*permission/);
    expect(error).toMatchObject({ isAccountUnavailable: false, isRetryable: false });
  });

  test('404: a device that has left the account', async () => {
    const error = await failureOf(api.devices.retrieve(99999));
    expect(error.failure).toMatchObject({
      status: 404,
      path: '/devices/99999',
      titles: ['object not found'],
    });
    expect(error).toMatchObject({ notFound: true, isRetryable: false });
    expect(error.message).toBe('GET /devices/99999 (account default) returned 404: object not found');
  });

  test('409 is a success for assignments and an error for other calls', async () => {
    simulator.addFault({ kind: 'status', status: 409, method: 'POST', times: 2 });
    expect(await api.deviceGroups.assignDevice(41, 54)).toBe(409);
    const error = await failureOf(api.scriptJobs.create({ scriptId: 32, deviceIds: [54] }));
    expect(error).toMatchObject({ isRetryable: false, failure: { status: 409, mayHaveTakenEffect: false } });
  });

  test('422: the titles say what is wrong', async () => {
    const error = await failureOf(api.scriptJobs.create({ scriptId: 32, deviceIds: [121] }));
    expect(error.failure).toMatchObject({
      status: 422,
      titles: ['no macOS devices were found to run the script on'],
    });
    expect(error).toMatchObject({ isRetryable: false, isAccountUnavailable: false });
  });

  test('several titles; a refusal with another error body in JSON', async () => {
    const bodies = [
      '{"errors":[{"title":"one"},{"title":"two"}]}',
      '{"error":"x"}',
      '{"errors":{"name":["x"]}}',
    ];
    let next = 0;
    const { url } = await tiny((_request, response) => {
      response.writeHead(422).end(bodies[next++]);
    });
    const broken = client({ baseUrl: url });
    expect((await failureOf(broken.account.show())).message).toContain('returned 422: one; two');
    for (let count = 1; count < bodies.length; count += 1) {
      expect((await failureOf(broken.account.show())).failure).toMatchObject({
        kind: 'response',
        status: 422,
        titles: [],
      });
    }
  });

  test('a redirect is not followed, because it would leak the key', async () => {
    const other = await tiny((_request, response) => sendJson(response, {}));
    const { url } = await tiny((_request, response) => {
      response.writeHead(302, { location: `${other.url}/account` }).end();
    });
    const error = await failureOf(client({ baseUrl: url }).account.show());
    expect(error).toMatchObject({ code: 'api/not-simplemdm', isOutage: true });
    expect(error.message).toMatch(/a redirect with status 302.*SIMPLEMDM_BASE_URL/);
    expect(other.requests).toEqual([]);
  });

  test.each([500, 502, 503, 504, 408])('%i is retryable', async (status) => {
    simulator.addFault({ kind: 'status', status, times: 2 });
    const fresh = client();
    const read = await failureOf(fresh.account.show());
    expect(read).toMatchObject({ isRetryable: true, isAccountUnavailable: false });
    expect(read.failure.mayHaveTakenEffect).toBe(false);
    const write = await failureOf(fresh.deviceGroups.assignDevice(41, 54));
    expect(write.failure.mayHaveTakenEffect).toBe(status >= 500);
  });

  test('503 with Retry-After sets retryAt', async () => {
    const now = 1_700_000_000_000;
    simulator.addFault({ kind: 'status', status: 503, retryAfter: 7, times: 1 });
    expect((await failureOf(client({ now: () => now }).account.show())).failure.retryAt).toBe(now + 7000);
  });
});

describe('no response, or an unexpected response', () => {
  test('connection refused: no effect', async () => {
    const port = await freePort();
    const error = await failureOf(
      client({ baseUrl: `http://127.0.0.1:${port}` }).deviceGroups.assignDevice(41, 54),
    );
    expect(error.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: false });
    expect(error.message).toMatch(/got no response: .*ECONNREFUSED/);
    expect(error.isRetryable).toBe(true);
  });

  test('connection refused on all addresses of a name: no effect', async () => {
    const port = await freePort();
    const error = await failureOf(
      client({ baseUrl: `http://localhost:${port}` }).deviceGroups.assignDevice(41, 54),
    );
    expect(error.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: false });
    expect(error.message).toMatch(/ECONNREFUSED/);
  });

  test('unknown host name: no effect', async () => {
    const error = await failureOf(
      client({ baseUrl: 'http://nowhere.invalid' }).deviceGroups.assignDevice(41, 54),
    );
    expect(error.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: false });
  });

  test('connection reset: a write may have taken effect, a read has not', async () => {
    simulator.addFault({ kind: 'reset', times: 2, effect: 'after' });
    const write = await failureOf(api.deviceGroups.assignDevice(41, 54));
    expect(write.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: true });
    expect(write.message).toMatch(/ECONNRESET|closed/);
    const read = await failureOf(api.account.show());
    expect(read.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: false });
  });

  test.each([
    ['no response', { kind: 'hang' as const }],
    ['a late response', { kind: 'slow' as const, delayMs: 2000 }],
  ])('timeout: %s', async (_name, fault) => {
    simulator.addFault({ ...fault, times: 2 });
    const hasty = client({ timeoutMs: 120 });
    const startedAt = performance.now();
    const read = await failureOf(hasty.account.show());
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    expect(read.failure).toMatchObject({ kind: 'timeout', mayHaveTakenEffect: false });
    expect(read.message).toMatch(/API_TIMEOUT_MS/);
    expect((await failureOf(hasty.deviceGroups.assignDevice(41, 54))).failure).toMatchObject({
      kind: 'timeout',
      mayHaveTakenEffect: true,
    });
    // A slow call is logged after its delay; the next test must not find it.
    await until('both calls are logged', () => simulator.calls().length === 2);
  });

  test('timeout: the headers arrive, the body never ends', async () => {
    const { url } = await tiny((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":');
    });
    const calls: ApiCall[] = [];
    const error = await failureOf(
      recordCalls(calls, () => client({ baseUrl: url, timeoutMs: 120 }).account.show()),
    );
    expect(error.failure.kind).toBe('timeout');
    expect(calls).toMatchObject([{ status: 200, error: expect.stringMatching(/API_TIMEOUT_MS/) }]);
  });

  test('truncated: the connection breaks in the middle of the body', async () => {
    simulator.addFault({ kind: 'truncated', times: 2 });
    const read = await failureOf(api.devices.retrieve(54));
    expect(read.failure.kind).toBe('network');
    expect(read.isRetryable).toBe(true);
    const write = await failureOf(api.scriptJobs.create({ scriptId: 32, deviceIds: [54] }));
    expect(write.failure.mayHaveTakenEffect).toBe(true);
  });

  test('wrong shape after a write: the write may have taken effect', async () => {
    const { url } = await tiny((_request, response) => sendJson(response, { data: {} }, 201));
    const error = await failureOf(
      client({ baseUrl: url }).scriptJobs.create({ scriptId: 1, deviceIds: [1] }),
    );
    expect(error.failure).toMatchObject({ kind: 'malformed', status: 201, mayHaveTakenEffect: true });
  });
});

describe('when the service stops', () => {
  test('a call in flight is canceled', async () => {
    simulator.addFault({ kind: 'hang' });
    const stopping = new AbortController();
    const stopped = client({ signal: stopping.signal });
    const write = failureOf(stopped.deviceGroups.assignDevice(41, 54));
    await until('the call has arrived', () => simulator.calls().length === 1);
    stopping.abort();
    const error = await write;
    expect(error.failure).toMatchObject({ kind: 'stopped', mayHaveTakenEffect: true });
    expect(error.message).toMatch(/service is stopping/);
    expect(error.isRetryable).toBe(true);
  });

  test('a later call is not made, so it has no effect', async () => {
    const error = await failureOf(client({ signal: AbortSignal.abort() }).deviceGroups.assignDevice(41, 54));
    expect(error.failure.kind).toBe('stopped');
    expect(simulator.calls()).toEqual([]);
    expect(error.failure.mayHaveTakenEffect).toBe(false);
  });
});

describe('connections and identical reads', () => {
  test('connections are kept alive', async () => {
    let connections = 0;
    const server = createServer((_request, response) =>
      sendJson(response, { data: { type: 'account', attributes: { name: 'x' } } }),
    );
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const baseUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const kept = client({ baseUrl });
    for (let count = 0; count < 25; count += 1) await kept.account.show();
    // The first may still be busy when the second call starts.
    expect(connections).toBeLessThanOrEqual(2);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });

  test('identical reads in flight share one call and its response', async () => {
    simulator.addFault({ kind: 'slow', delayMs: 60, times: 1 });
    const calls = Array.from({ length: 10 }, (): ApiCall[] => []);
    const records = await Promise.all(calls.map((mine) => recordCalls(mine, () => api.devices.retrieve(54))));
    expect(simulator.calls()).toHaveLength(1);
    for (const record of records) expect(record).toEqual(records[0]);
    const [first, ...others] = calls;
    expect(first).toMatchObject([{ path: '/devices/54', status: 200 }]);
    expect(first?.[0]).not.toHaveProperty('shared');
    for (const mine of others)
      expect(mine).toMatchObject([{ path: '/devices/54', status: 200, shared: true, durationMs: 0 }]);
  });

  test('another query, another device, a write, and a later read are separate calls', async () => {
    await Promise.all([
      api.devices.retrieve(54),
      api.devices.retrieve(56),
      all(api.devices.list({ search: 'a' })),
      all(api.devices.list({ search: 'b' })),
      api.deviceGroups.assignDevice(41, 54),
      api.deviceGroups.assignDevice(41, 54),
    ]);
    await api.devices.retrieve(54);
    expect(simulator.calls()).toHaveLength(7);
  });

  test('two clients share nothing', async () => {
    await Promise.all([client().account.show(), client({ account: 'other' }).account.show()]);
    expect(simulator.calls()).toHaveLength(2);
  });

  test('a failed shared read fails for all callers, is in the record of each, and is made again', async () => {
    simulator.addFault({ kind: 'status', status: 500, times: 1 });
    const calls = Array.from({ length: 3 }, (): ApiCall[] => []);
    const errors = await Promise.all(
      calls.map((mine) => failureOf(recordCalls(mine, () => api.account.show()))),
    );
    expect(errors.map(({ failure }) => failure.status)).toEqual([500, 500, 500]);
    expect(simulator.calls()).toHaveLength(1);
    expect((await api.account.show()).attributes.name).toBe('SimpleMDM');
    for (const mine of calls)
      expect(mine).toMatchObject([{ path: '/account', error: expect.stringMatching(/500/) }]);
  });
});

describe('call records', () => {
  test('every call in order, with body, status and error; without the key and secrets', async () => {
    const calls: ApiCall[] = [];
    const reported: ApiCall[] = [];
    const recorded = client({ account: 'north', onCall: (call) => void reported.push(call) });
    await recordCalls(calls, async () => {
      await recorded.devices.retrieve(54);
      await recorded.scriptJobs.create({ scriptId: 32, deviceIds: [54] });
      await all(recorded.devices.listInstalledApps(54));
      await failureOf(recorded.devices.retrieve(404));
    });
    expect(calls).toEqual([
      {
        account: 'north',
        method: 'GET',
        path: '/devices/54',
        route: '/devices/{DEVICE_ID}',
        status: 200,
        durationMs: expect.any(Number),
      },
      {
        account: 'north',
        method: 'POST',
        path: '/script_jobs',
        route: '/script_jobs',
        body: { script_id: 32, device_ids: '54' },
        status: 201,
        durationMs: expect.any(Number),
      },
      {
        account: 'north',
        method: 'GET',
        path: '/devices/54/installed_apps?limit=100',
        route: '/devices/{DEVICE_ID}/installed_apps',
        status: 200,
        durationMs: expect.any(Number),
      },
      {
        account: 'north',
        method: 'GET',
        path: expect.stringMatching(/installed_apps\?limit=100&starting_after=\d+$/),
        route: '/devices/{DEVICE_ID}/installed_apps',
        status: 200,
        durationMs: expect.any(Number),
      },
      {
        account: 'north',
        method: 'GET',
        path: '/devices/404',
        route: '/devices/{DEVICE_ID}',
        status: 404,
        error: expect.stringMatching(/object not found/),
        durationMs: expect.any(Number),
      },
    ]);
    expect(reported).toEqual(calls);
    expect(JSON.stringify(calls)).not.toContain(apiKey);
  });

  test('PINs and passwords are redacted', async () => {
    const calls: ApiCall[] = [];
    await recordCalls(calls, async () => {
      await api.devices.lock(54, { pin: '480915', message: 'Call us' });
      await api.devices.wipe(99, { pin: '480915' }).catch(() => undefined);
      await api.devices.setAdminPassword(54, 'plum-harbour');
      await api.scripts.create({ name: 'x', file: new File(['#!/bin/sh\necho plum-harbour'], 'x.sh') });
    });
    expect(calls.map(({ body }) => body)).toEqual([
      { message: 'Call us', pin: '[redacted]' },
      { pin: '[redacted]' },
      { new_password: '[redacted]' },
      { name: 'x', file: 'x.sh, 27 bytes' },
    ]);
    expect(JSON.stringify(calls)).not.toMatch(/480915|plum-harbour/);
    expect(simulator.calls()[0]?.body).toMatchObject({ pin: '480915' });
  });

  test('a call without a response has no status', async () => {
    const calls: ApiCall[] = [];
    const baseUrl = `http://127.0.0.1:${await freePort()}`;
    await failureOf(recordCalls(calls, () => client({ baseUrl }).account.show()));
    expect(calls).toMatchObject([{ path: '/account', error: expect.stringMatching(/ECONNREFUSED/) }]);
    expect(calls[0]).not.toHaveProperty('status');
  });

  test('concurrent recordings do not mix', async () => {
    const one: ApiCall[] = [];
    const two: ApiCall[] = [];
    await Promise.all([
      recordCalls(one, () => api.devices.retrieve(54)),
      recordCalls(two, () => all(api.scripts.list())),
      api.account.show(),
    ]);
    expect(one.map(({ path }) => path)).toEqual(['/devices/54']);
    expect(two.map(({ path }) => path)).toEqual(['/scripts?limit=100']);
  });
});

describe('secrets of a device', () => {
  test('the API returns them, the client drops them', async () => {
    const real = simulator.device(54)?.attributes;
    expect(real?.filevault_recovery_key).toMatch(/^\w{4}(-\w{4}){5}$/);
    expect(real?.recovery_lock_password).toMatch(/./);
    expect(simulator.device(56)?.attributes.firmware_password).toMatch(/./);
    const everything = JSON.stringify([
      await api.devices.retrieve(54),
      await api.devices.retrieve(56),
      await all(api.devices.list()),
      await api.customAttributes.getValuesForDevice(54),
    ]);
    for (const name of ['filevault_recovery_key', 'firmware_password"', 'recovery_lock_password"']) {
      expect(everything).not.toContain(name);
    }
    for (const secret of [
      real?.filevault_recovery_key,
      real?.recovery_lock_password,
      simulator.device(56)?.attributes.firmware_password,
      'plum-harbour-72-quartz',
    ]) {
      expect(typeof secret).toBe('string');
      expect(everything).not.toContain(secret);
    }
    // Whether a secret exists stays visible.
    expect(everything).toContain('"filevault_enabled":true');
    expect(everything).toContain('"firmware_password_enabled":true');
  });

  test('a secret custom attribute keeps its name and loses its value', async () => {
    const values = await api.customAttributes.getValuesForDevice(54);
    expect(values.find(({ id }) => id === 'local_admin_password')?.attributes).toMatchObject({
      value: null,
      secret: true,
    });
    expect(values.find(({ id }) => id === 'department')?.attributes).toMatchObject({ value: 'Engineering' });
  });

  test('secrets are dropped at any depth of a record', async () => {
    const secret = 'never-to-be-seen';
    const { url } = await tiny((_request, response) =>
      sendJson(response, {
        data: {
          type: 'device',
          id: 1,
          attributes: {
            name: 'x',
            filevault_recovery_key: secret,
            nested: [{ firmware_password: { a: secret } }],
          },
          relationships: {
            custom_attribute_values: {
              data: [
                { type: 'custom_attribute_value', id: 'a', attributes: { value: secret, secret: true } },
                { type: 'custom_attribute_value', id: 'b', attributes: { secret: true, value: [secret] } },
                { type: 'custom_attribute_value', id: 'c', attributes: { value: 'seen', secret: false } },
              ],
            },
          },
        },
      }),
    );
    const record = JSON.stringify(await client({ baseUrl: url }).devices.retrieve(1));
    expect(record).not.toContain(secret);
    expect(record).toContain('seen');
  });

  test('an error about a malformed record does not contain secrets', async () => {
    const secret = 'never-to-be-seen';
    const { url } = await tiny((_request, response) => {
      response.end(`{"data":{"attributes":{"filevault_recovery_key":"${secret}"`);
    });
    const error = await failureOf(client({ baseUrl: url }).devices.retrieve(1));
    expect(JSON.stringify(error.failure) + error.message + (error.stack ?? '')).not.toContain(secret);
  });
});
