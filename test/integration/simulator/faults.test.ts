import { describe, expect, test } from '@jest/globals';
import { call, json } from './api-client.js';
import { simulatorForTest, until } from './running-simulator.js';

const runScript = json('POST', { script_id: 32, device_ids: '54' });

describe('faults', () => {
  test('status: the given error, with rate limit headers', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({
      kind: 'status',
      status: 429,
      retryAfter: 7,
      rateLimitReset: 1_700_000_000,
      times: 1,
    });
    const reply = await call(url, '/account');
    expect(reply).toMatchObject({ status: 429, body: { errors: [{ title: expect.any(String) }] } });
    expect(reply.headers.get('retry-after')).toBe('7');
    expect(reply.headers.get('x-ratelimit-reset')).toBe('1700000000');
    expect((await call(url, '/account')).status).toBe(200);
  });

  test('a fault affects only matching calls, until it is cleared', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'status', method: 'get', path: '/devices/*' });
    expect((await call(url, '/devices/121')).status).toBe(500);
    expect((await call(url, '/devices/121/installed_apps')).status).toBe(500);
    expect((await call(url, '/devices')).status).toBe(200);
    expect((await call(url, '/devices/121', json('PATCH', { name: 'x' }))).status).toBe(200);
    simulator.clearFaults();
    expect((await call(url, '/devices/121')).status).toBe(200);
  });

  test('wrong_json: another shape with the status and headers of the regular response; the call takes effect', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'wrong_json', times: 2 });
    const list = await call(url, '/devices');
    expect(list).toMatchObject({ status: 200, body: { data: 'maintenance', has_more: 'no' } });
    expect(list.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await call(url, '/script_jobs', runScript)).status).toBe(201);
    expect(simulator.scriptJobs()).toHaveLength(1);
  });

  test('a probability affects its share of calls, and the same ones for the same seed', async () => {
    const statusesFor = async (seed: number) => {
      const { url, simulator } = await simulatorForTest({ seed });
      simulator.addFault({ kind: 'status', status: 503, probability: 0.4 });
      const statuses: number[] = [];
      for (let count = 0; count < 60; count += 1) statuses.push((await call(url, '/account')).status);
      return statuses;
    };
    const first = await statusesFor(9);
    expect(first.filter((status) => status === 503).length).toBeGreaterThan(10);
    expect(first.filter((status) => status === 200).length).toBeGreaterThan(20);
    expect(await statusesFor(9)).toEqual(first);
  });

  test.each([
    ['retry-after', { 'retry-after': '1' }],
    ['x-ratelimit-reset', { 'x-ratelimit-reset': '1719835201' }],
    ['none', {}],
  ] as const)('the rate limit announces the wait by %s', async (headers, expected) => {
    const { url } = await simulatorForTest({ rateLimit: { perSecond: 1, burst: 1, headers } });
    await call(url, '/account');
    const refused = await call(url, '/account');
    expect(refused.status).toBe(429);
    const waitHeaders = Object.fromEntries(
      [...refused.headers].filter(([name]) => /^(retry|x-ratelimit)/.test(name)),
    );
    expect(waitHeaders).toEqual(expected);
  });

  test('a probability of 0 affects no call', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'status', probability: 0 });
    expect((await call(url, '/account')).status).toBe(200);
  });

  test('effect before: no job; effect after: the job exists although the response is an error', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'status', times: 1 });
    expect((await call(url, '/script_jobs', runScript)).status).toBe(500);
    expect(simulator.scriptJobs()).toHaveLength(0);
    simulator.addFault({ kind: 'status', status: 502, times: 1, effect: 'after' });
    expect((await call(url, '/script_jobs', runScript)).status).toBe(502);
    expect(simulator.scriptJobs()).toHaveLength(1);
  });

  test.each(['before', 'after'] as const)('reset with effect %s', async (effect) => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'reset', times: 1, effect });
    await expect(call(url, '/script_jobs', runScript)).rejects.toThrow('fetch failed');
    expect(simulator.scriptJobs()).toHaveLength(effect === 'after' ? 1 : 0);
    expect(simulator.calls()).toMatchObject([{ path: '/script_jobs', status: 0 }]);
  });

  test('hang: no response; closing the simulator closes the connection', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'hang', effect: 'after' });
    const hanging = expect(call(url, '/script_jobs', runScript)).rejects.toThrow('fetch failed');
    await until(() => simulator.scriptJobs().length === 1);
    expect(simulator.calls()).toMatchObject([{ status: 0 }]);
    await simulator.close();
    await hanging;
  });

  test.each(['before', 'after'] as const)(
    'slow with effect %s: the regular response, later on the clock',
    async (effect) => {
      const { url, simulator, clock } = await simulatorForTest();
      simulator.addFault({ kind: 'slow', delayMs: 5000, effect });
      const response = call(url, '/script_jobs', runScript);
      await until(() => {
        clock.advance(1000);
        return simulator.calls().length === 1;
      });
      expect((await response).status).toBe(201);
    },
  );

  test('truncated: half a response; the call takes effect', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'truncated' });
    await expect(call(url, '/script_jobs', runScript)).rejects.toThrow('terminated');
    expect(simulator.scriptJobs()).toHaveLength(1);
    await expect(call(url, '/device_groups/37/devices/121', { method: 'POST' })).rejects.toThrow(
      'terminated',
    );
  });

  test('truncated with effect before: the call takes no effect', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'truncated', effect: 'before' });
    await expect(call(url, '/script_jobs', runScript)).rejects.toThrow('terminated');
    expect(simulator.scriptJobs()).toHaveLength(0);
  });

  test('not_json: an HTML page, as a proxy sends it', async () => {
    const { url, simulator } = await simulatorForTest();
    simulator.addFault({ kind: 'not_json', times: 1 });
    const reply = await call(url, '/account');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toContain('text/html');
    expect(reply.text).toContain('<html>');
  });
});
