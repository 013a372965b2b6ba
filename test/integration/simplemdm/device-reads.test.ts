import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { Event } from '../../../src/events/envelope.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import type { FactTrace } from '../../../src/journal/trace.js';
import { recordWarnings } from '../../../src/simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../../../src/simplemdm/answer-warnings.js';
import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { createDeviceReads } from '../../../src/simplemdm/device-reads.js';
import { failureOf } from './failure-of.js';
import { sendJson, startTinyServer } from './tiny-server.js';
import type { TinyServer } from './tiny-server.js';

const apiKey = 'api-key-of-the-client-test';
const DEVICES = 40;

let simulator: Simulator;
let enrolled: readonly number[];
const toClose: TinyServer[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ apiKey });
  enrolled = Array.from({ length: DEVICES }, () => simulator.enroll({ kind: 'macbook' }).id);
});

afterEach(async () => {
  simulator.clearFaults();
  simulator.clearCalls();
  await Promise.all(toClose.splice(0).map((server) => server.close()));
});

afterAll(() => simulator.close());

const client = (baseUrl = simulator.url): SimpleMdm =>
  createSimpleMdm({ apiKey, baseUrl, retries: 0, maxPauseWaitMs: 0, rate: { perSecond: 1000, burst: 1000 } });

const paths = (): string[] => simulator.calls().map(({ path }) => path);
const pagesOf = (all: readonly string[]): string[] => all.filter((path) => path === '/devices');

const factOf = async (
  deviceId: number,
  api: SimpleMdm,
  deviceReads = createDeviceReads(api),
): Promise<FactTrace | undefined> => {
  const event: Event = {
    id: String(deviceId),
    account: 'default',
    type: 'device.enrolled',
    at: '2026-01-01T00:00:00Z',
    receivedAt: '2026-01-01T00:00:00Z',
    source: 'webhook',
    data: { device: { id: deviceId } },
  };
  let record: FactTrace | undefined;
  const facts = createFactFetcher({
    event,
    api,
    lists: createCachedLists(api),
    deviceReads,
    known: new Map(),
    onFact: (_name, fact) => {
      record = fact;
      return Promise.resolve();
    },
  });
  await facts.fetch('device').catch(() => undefined);
  return record;
};

describe('reads of many devices at once', () => {
  test('share pages, and each gets exactly the record that a call of its own would return', async () => {
    const api = client();
    const alone = await Promise.all(enrolled.map((id) => api.devices.retrieve(id)));
    simulator.clearCalls();
    const reads = createDeviceReads(api);
    const shared = await Promise.all(enrolled.map((id) => reads.retrieve(id)));
    expect(shared).toEqual(alone);
    // Four calls of their own, then one page for the other 36.
    expect(paths()).toHaveLength(5);
    expect(pagesOf(paths())).toHaveLength(1);
  });

  test('give the same fact `device` as single reads, with the call that it came from', async () => {
    const api = client();
    const reads = createDeviceReads(api);
    const alone = await Promise.all(enrolled.map((id) => factOf(id, api)));
    const shared = await Promise.all(enrolled.map((id) => factOf(id, api, reads)));
    expect(shared.map((fact) => fact?.value)).toEqual(alone.map((fact) => fact?.value));
    expect(shared.every((fact) => fact?.status === 'found' && fact.calls.length === 1)).toBe(true);
    const calls = shared.flatMap((fact) => fact?.calls ?? []);
    expect(calls.filter((call) => call.shared !== true)).toHaveLength(5);
  });

  test('a read while few calls are under way has a call of its own', async () => {
    const reads = createDeviceReads(client());
    for (const id of enrolled.slice(0, 3)) expect((await reads.retrieve(id)).id).toBe(id);
    expect(paths()).toEqual(enrolled.slice(0, 3).map((id) => `/devices/${id}`));
  });

  test('a device that awaits its enrollment is found, and one that has left is a 404', async () => {
    const api = client();
    const reads = createDeviceReads(api);
    const { id: waitingId } = await api.devices.create({ name: 'Awaits' });
    const gone = simulator.enroll({ kind: 'iphone' }).id;
    simulator.unenroll(gone);
    simulator.clearCalls();
    const others = enrolled.map((id) => reads.retrieve(id));
    const [awaits, failure] = await Promise.all([reads.retrieve(waitingId), failureOf(reads.retrieve(gone))]);
    expect(awaits).toEqual(await api.devices.retrieve(waitingId));
    expect(failure.notFound).toBe(true);
    expect(failure.failure.path).toBe(`/devices/${gone}`);
    expect((await Promise.all(others)).map(({ id }) => id)).toEqual(enrolled);
  });

  test('two reads of one device share a call', async () => {
    const reads = createDeviceReads(client());
    const [id = 0] = enrolled;
    const busy = enrolled.slice(1, 5).map((other) => reads.retrieve(other));
    const both = await Promise.all([reads.retrieve(id), reads.retrieve(id)]);
    await Promise.all(busy);
    expect(both.map((device) => device.id)).toEqual([id, id]);
    expect(paths().filter((path) => path === `/devices/${id}`)).toHaveLength(1);
  });
});

describe('a page that fails', () => {
  test('because SimpleMDM refuses it: each device is read alone, and so are the next ones', async () => {
    const reads = createDeviceReads(client());
    simulator.addFault({ method: 'GET', path: '/devices', kind: 'status', status: 422 });
    const devices = await Promise.all(enrolled.map((id) => reads.retrieve(id)));
    expect(devices.map(({ id }) => id)).toEqual(enrolled);
    expect(pagesOf(paths())).toHaveLength(1);
    await Promise.all(enrolled.map((id) => reads.retrieve(id)));
    expect(pagesOf(paths())).toHaveLength(1);
  });

  test('because of an outage: its reads fail like single reads, and the next ones are sent alone', async () => {
    const reads = createDeviceReads(client());
    simulator.addFault({ method: 'GET', path: '/devices', kind: 'status', status: 502, times: 1 });
    const results = await Promise.allSettled(enrolled.map((id) => reads.retrieve(id)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    const failure = results.find((result) => result.status === 'rejected');
    expect(failure?.reason).toMatchObject({ isRetryable: true, failure: { status: 502 } });
    const devices = await Promise.all(enrolled.map((id) => reads.retrieve(id)));
    expect(devices.map(({ id }) => id)).toEqual(enrolled);
    expect(pagesOf(paths())).toHaveLength(1);
  });

  test('because the account is paused: no read falls back to a call of its own', async () => {
    const reads = createDeviceReads(client());
    simulator.addFault({ method: 'GET', path: '/devices', kind: 'status', status: 429, retryAfter: 30 });
    const results = await Promise.allSettled(enrolled.map((id) => reads.retrieve(id)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ isAccountUnavailable: true });
    expect(paths().length).toBeLessThan(10);
  });
});

/** A server whose list is not what the reference says. */
async function oddServer(list: (cursor: number) => object): Promise<TinyServer> {
  const server = await startTinyServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    if (url.pathname === '/devices') sendJson(response, list(Number(url.searchParams.get('starting_after'))));
    else sendJson(response, { data: record(Number(url.pathname.split('/').at(-1))) });
  });
  toClose.push(server);
  return server;
}

const record = (id: number, attributes: object = { name: `Mac ${id}` }): object => ({
  type: 'device',
  id,
  attributes,
});

const IDS = Array.from({ length: 20 }, (_unused, index) => 101 + index);

test('a server that ignores the cursor costs one page, then devices are read alone', async () => {
  const { url, requests } = await oddServer(() => ({ data: [record(1), record(2)], has_more: true }));
  const reads = createDeviceReads(client(url));
  const read = async () => (await Promise.all(IDS.map((id) => reads.retrieve(id)))).map(({ id }) => id);
  expect(await read()).toEqual(IDS);
  expect(await read()).toEqual(IDS);
  expect(requests.filter((request) => request.startsWith('GET /devices?'))).toHaveLength(1);
});

test('what is odd about a record of a page is told to the reader of that device only', async () => {
  const { url } = await oddServer((cursor) => ({
    data: IDS.filter((id) => id > cursor).map((id) =>
      record(id, { name: id === 110 ? { odd: true } : 'Mac' }),
    ),
    has_more: false,
  }));
  const reads = createDeviceReads(client(url));
  const warned = await Promise.all(
    IDS.map(async (id) => {
      const warnings: AnswerWarning[] = [];
      const calls: ApiCall[] = [];
      await recordWarnings(warnings, () => recordCalls(calls, () => reads.retrieve(id)));
      expect(calls).toHaveLength(1);
      return { id, fields: warnings.map(({ field }) => field) };
    }),
  );
  expect(warned.filter(({ fields }) => fields.length > 0)).toEqual([{ id: 110, fields: ['name'] }]);
});

test('a page that ends early leaves the rest for the next page', async () => {
  const { url, requests } = await oddServer((cursor) => ({
    data: IDS.filter((id) => id > cursor)
      .slice(0, 6)
      .map((id) => record(id)),
    has_more: true,
  }));
  const reads = createDeviceReads(client(url));
  expect((await Promise.all(IDS.map((id) => reads.retrieve(id)))).map(({ id }) => id)).toEqual(IDS);
  expect(requests.filter((request) => !request.startsWith('GET /devices?'))).toHaveLength(4);
});

test('a read that comes while a page is under way has a later call: its record is newer than its event', async () => {
  let name = 'before';
  let pageArrived = (): void => undefined;
  const arrival = new Promise<void>((resolve) => (pageArrived = resolve));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const server = await startTinyServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    if (url.pathname !== '/devices') {
      sendJson(response, { data: record(Number(url.pathname.split('/').at(-1)), { name }) });
      return;
    }
    const data = IDS.map((id) => record(id, { name }));
    pageArrived();
    void released.then(() => sendJson(response, { data, has_more: false }));
  });
  toClose.push(server);
  const reads = createDeviceReads(client(server.url));
  const first = IDS.map((id) => reads.retrieve(id));
  await arrival;
  name = 'after';
  const again = reads.retrieve(IDS[10] ?? 0);
  release();
  expect((await Promise.all(first))[10]?.attributes.name).toBe('before');
  expect((await again).attributes.name).toBe('after');
});

test('reads of the bulk lane do not make interactive ones wait', async () => {
  let lane = 'bulk';
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const server = await startTinyServer((request, response) => {
    const id = Number((request.url ?? '').split('/').at(-1));
    const send = () => sendJson(response, { data: record(id) });
    if (id < 200) void released.then(send);
    else send();
  });
  toClose.push(server);
  const reads = createDeviceReads(client(server.url), () => lane);
  const bulk = [101, 102, 103, 104].map((id) => reads.retrieve(id));
  lane = 'interactive';
  expect((await reads.retrieve(200)).id).toBe(200);
  release();
  expect((await Promise.all(bulk)).map(({ id }) => id)).toEqual([101, 102, 103, 104]);
});
