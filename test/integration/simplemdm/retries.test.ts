import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startSimulator } from '../../../simulator/start.js';
import type { Fault, Simulator } from '../../../simulator/start.js';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { freePort } from '../../support/redis.js';
import { failureOf } from './failure-of.js';

const apiKey = 'api-key-of-the-client-test';
let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ apiKey });
});

afterEach(() => {
  simulator.clearFaults();
  simulator.clearCalls();
});

afterAll(() => simulator.close());

const client = (baseUrl = simulator.url): SimpleMdm =>
  createSimpleMdm({ apiKey, baseUrl, timeoutMs: 300, maxPauseWaitMs: 0 });

const broken: [string, Fault][] = [
  ['500', { kind: 'status', status: 500 }],
  ['a 502 from a gateway', { kind: 'not_json', status: 502 }],
  ['a page with the status of a success', { kind: 'not_json' }],
  ['a reset connection', { kind: 'reset' }],
  ['no response', { kind: 'hang' }],
  ['half a response', { kind: 'truncated' }],
];

describe.each(broken)('%s', (_name, fault) => {
  test('a read is retried twice', async () => {
    simulator.addFault({ ...fault, times: 2 });
    expect((await client().devices.retrieve(54)).id).toBe(54);
    expect(simulator.calls()).toHaveLength(3);
  });

  test('a read fails after three attempts', async () => {
    simulator.addFault({ ...fault, times: 4 });
    expect((await failureOf(client().devices.retrieve(54))).isRetryable).toBe(true);
    expect(simulator.calls()).toHaveLength(3);
  });

  test('a PUT and an idempotent POST are retried', async () => {
    simulator.addFault({ ...fault, times: 1, effect: 'after' });
    await client().customAttributes.setValueForDevice(54, 'department', 'Sales');
    simulator.addFault({ ...fault, times: 1, effect: 'after' });
    expect(await client().deviceGroups.assignDevice(41, 56)).toBe(202);
    expect(simulator.calls().map(({ method }) => method)).toEqual(['PUT', 'PUT', 'POST', 'POST']);
  });

  test('another POST is made once and may have taken effect', async () => {
    const jobs = simulator.scriptJobs().length;
    simulator.addFault({ ...fault, times: 1, effect: 'after' });
    const error = await failureOf(client().scriptJobs.create({ scriptId: 32, deviceIds: [54] }));
    expect(error.failure.mayHaveTakenEffect).toBe(true);
    expect(simulator.calls()).toHaveLength(1);
    expect(simulator.scriptJobs()).toHaveLength(jobs + 1);
  });
});

test('a POST that did not reach the API is retried', async () => {
  const calls: ApiCall[] = [];
  const nobody = client(`http://127.0.0.1:${await freePort()}`);
  const error = await failureOf(
    recordCalls(calls, () => nobody.scriptJobs.create({ scriptId: 32, deviceIds: [54] })),
  );
  expect(error.failure.mayHaveTakenEffect).toBe(false);
  expect(calls).toHaveLength(3);
});

test('a DELETE that gets a 404 after a lost response succeeds', async () => {
  const { id } = simulator.enroll({ kind: 'ipad', webhook: false });
  simulator.addFault({ kind: 'reset', times: 1, effect: 'after', method: 'DELETE' });
  expect(await client().devices.delete(id)).toBe(204);
  expect(simulator.calls()).toHaveLength(2);
  expect(simulator.device(id)).toBeUndefined();
});

test('a DELETE of an unknown object fails with 404', async () => {
  expect((await failureOf(client().devices.delete(99_999))).notFound).toBe(true);
  expect(simulator.calls()).toHaveLength(1);
});

test('mayHaveTakenEffect covers all attempts, not only the last one', async () => {
  simulator.addFault({ kind: 'reset', times: 1, effect: 'after', method: 'PUT' });
  simulator.addFault({ kind: 'status', status: 422, method: 'PUT' });
  const error = await failureOf(client().customAttributes.setValueForDevice(54, 'department', 'Sales'));
  expect(error.failure).toMatchObject({ status: 422, mayHaveTakenEffect: true });
});

test.each([400, 401, 403, 404, 422, 429])('%i is not retried', async (status) => {
  simulator.addFault({ kind: 'status', status });
  await failureOf(client().devices.retrieve(54));
  expect(simulator.calls()).toHaveLength(1);
});

test('a 503 with Retry-After is not retried immediately', async () => {
  simulator.addFault({ kind: 'status', status: 503, retryAfter: 30 });
  await failureOf(client().devices.retrieve(54));
  expect(simulator.calls()).toHaveLength(1);
});

test('a client with a longer maxPauseWaitMs retries a 429 after the pause', async () => {
  const patient = createSimpleMdm({ apiKey, baseUrl: simulator.url });
  simulator.addFault({ kind: 'status', status: 429, times: 1, retryAfter: 0.2 });
  expect((await patient.scriptJobs.create({ scriptId: 32, deviceIds: [54] })).attributes.status).toBe(
    'pending',
  );
  expect(simulator.calls().map(({ status }) => status)).toEqual([429, 201]);
});
