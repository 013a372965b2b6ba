import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import { failureOf } from './failure-of.js';

const apiKey = 'api-key-of-the-client-test';
let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ apiKey });
});

afterEach(() => {
  jest.useRealTimers();
  simulator.clearFaults();
  simulator.clearCalls();
});

afterAll(() => simulator.close());

function client(account: string) {
  const states: string[] = [];
  const api = createSimpleMdm({
    account,
    apiKey,
    baseUrl: simulator.url,
    retries: 0,
    maxPauseWaitMs: 0,
    onCircuitChange: (state) => states.push(state),
  });
  return { api, states };
}

test('five failed calls in a row open the circuit; a successful call closes it', async () => {
  jest.useFakeTimers({
    now: 1_700_000_000_000,
    doNotFake: [
      'nextTick',
      'queueMicrotask',
      'setTimeout',
      'setImmediate',
      'clearTimeout',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'performance',
    ],
  });
  const { api, states } = client('north');
  const other = client('south');
  simulator.addFault({ kind: 'status', status: 503, path: '/account' });
  for (let count = 0; count < 5; count += 1) {
    expect((await failureOf(api.account.show())).failure.status).toBe(503);
  }
  expect(states).toEqual(['open']);

  simulator.clearCalls();
  const held = await failureOf(api.devices.retrieve(54));
  expect(held.failure).toMatchObject({
    kind: 'paused',
    mayHaveTakenEffect: false,
    retryAt: Date.now() + 10_000,
  });
  expect(held).toMatchObject({ isAccountUnavailable: true, isRetryable: true });
  expect(held.message).toMatch(/north.*5 calls in a row/);
  expect(simulator.calls()).toEqual([]);
  expect((await other.api.devices.retrieve(54)).id).toBe(54);

  // The test call fails, so the circuit stays open.
  jest.setSystemTime(Date.now() + 10_000);
  expect((await failureOf(api.account.show())).failure.status).toBe(503);
  expect((await failureOf(api.devices.retrieve(54))).failure).toMatchObject({
    kind: 'paused',
    retryAt: Date.now() + 10_000,
  });

  jest.setSystemTime(Date.now() + 10_000);
  simulator.clearFaults();
  expect((await api.account.show()).attributes.name).toBe('SimpleMDM');
  expect((await api.devices.retrieve(54)).id).toBe(54);
  expect(states).toEqual(['open', 'closed']);
  expect(other.states).toEqual([]);
});

test('4xx responses do not open the circuit', async () => {
  const { api, states } = client('north');
  for (let count = 0; count < 8; count += 1) await failureOf(api.devices.retrieve(99_999));
  for (let count = 0; count < 4; count += 1) {
    simulator.addFault({ kind: 'status', status: 500, times: 2, path: '/account' });
    await failureOf(api.account.show());
    await failureOf(api.account.show());
    await failureOf(api.devices.retrieve(99_999));
  }
  expect(states).toEqual([]);
});
