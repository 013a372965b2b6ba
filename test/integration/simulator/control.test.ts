import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { call, json } from './api-client.js';
import { receiverForTest, simulatorForTest } from './running-simulator.js';

describe('the control API', () => {
  test('the index lists every route', async () => {
    const { simulator } = await simulatorForTest();
    const reply = await call(simulator.origin, '/__simulator');
    const index = z
      .object({ data: z.array(z.object({ method: z.string(), path: z.string() })) })
      .parse(reply.body);
    expect(index.data.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'GET /__simulator/calls',
        'POST /__simulator/devices',
        'DELETE /__simulator/devices/:id',
        'POST /__simulator/business-manager',
        'POST /__simulator/test-event',
        'POST /__simulator/devices/:id/lock',
        'POST /__simulator/faults',
        'GET /__simulator/webhooks',
      ]),
    );
  });

  test('offers the functions of the simulator without a key', async () => {
    const receiver = await receiverForTest();
    const { simulator, url } = await simulatorForTest({ webhook: { url: receiver.url } });
    const control = (path: string, init = {}) =>
      call(simulator.origin, `/__simulator${path}`, { key: 'none', ...init });

    expect(await control('/devices', json('POST', { kind: 'iphone', name: 'Zoe' }))).toMatchObject({
      status: 201,
      body: { data: { id: 500, name: 'Zoe' } },
    });
    expect((await control('/devices/500/lock', { method: 'POST' })).status).toBe(204);
    expect((await control('/devices/500', { method: 'DELETE' })).status).toBe(204);
    expect((await control('/business-manager', { method: 'POST' })).status).toBe(201);
    expect((await control('/test-event', { method: 'POST' })).status).toBe(204);
    expect((await control('/webhooks/resend', json('POST', { last: 1 }))).status).toBe(202);
    await simulator.webhooksSettled();
    const types = receiver.received.map(({ type }) => type);
    expect(types).toEqual([
      'device.enrolled',
      'device.lock.enabled',
      'device.unenrolled',
      'abm.device.added',
      'test_event',
      'test_event',
    ]);
    expect((await control('/webhooks')).body).toMatchObject({
      data: types.map((type) => ({ type, status: 202 })),
    });

    await call(url, '/enrollments/5/invitations', json('POST', { contact: 'it@example.org' }));
    await call(url, '/script_jobs', json('POST', { script_id: 31, device_ids: 54 }));
    expect((await control('/invitations')).body).toMatchObject({ data: [{ contact: 'it@example.org' }] });
    expect((await control('/script-jobs')).body).toMatchObject({ data: [{ id: 341 }] });
    expect((await control('/calls')).body).toMatchObject({
      data: [{ path: '/enrollments/5/invitations' }, { path: '/script_jobs' }],
    });
    expect((await control('/calls', { method: 'DELETE' })).status).toBe(204);
    expect(simulator.calls()).toEqual([]);
  });

  test('adds, lists and clears faults', async () => {
    const { simulator, url } = await simulatorForTest();
    const faults = (init = {}) => call(simulator.origin, '/__simulator/faults', init);
    expect((await faults(json('POST', { kind: 'status', status: 503, times: 2 }))).status).toBe(201);
    expect((await call(url, '/account')).status).toBe(503);
    expect((await faults()).body).toEqual({ data: [{ kind: 'status', status: 503, times: 1 }] });
    expect((await faults({ method: 'DELETE' })).status).toBe(204);
    expect((await call(url, '/account')).status).toBe(200);
  });

  test.each([
    ['/devices', { kind: 'macbok' }, 'kind'],
    ['/devices', { kind: 'ipad', groupId: 'x' }, 'groupId'],
    ['/devices', { kind: 'ipad', groupId: 77 }, 'device group 77'],
    ['/faults', { kind: 'status', status: 9 }, 'status'],
    ['/faults', { kind: 'status', tims: 1 }, 'tims'],
    ['/business-manager', { depServerId: 9 }, 'DEP server 9'],
    ['/devices/999/lock', {}, 'device 999'],
  ])('%s with %j is a 422 that names the problem', async (path, body, named) => {
    const { simulator } = await simulatorForTest();
    const reply = await call(simulator.origin, `/__simulator${path}`, json('POST', body));
    expect(reply.status).toBe(422);
    expect(reply.text).toContain(named);
  });

  test('a path outside the API and the control API is a 404', async () => {
    const { simulator } = await simulatorForTest();
    expect((await call(simulator.origin, '/__simulator/nothing')).status).toBe(404);
    expect((await call(simulator.origin, '/')).status).toBe(404);
  });
});
