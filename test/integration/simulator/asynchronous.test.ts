import { describe, expect, test } from '@jest/globals';
import { call, json, listOf, recordOf } from './api-client.js';
import { receiverForTest, simulatorForTest } from './running-simulator.js';

describe('group change', () => {
  test('202 immediately; after the delay the device is in the group, with a webhook', async () => {
    const receiver = await receiverForTest();
    const { url, clock, simulator } = await simulatorForTest({ webhook: { url: receiver.url } });
    const groupOf121 = () => simulator.device(121)?.relationships.device_group.data.id;

    expect((await call(url, '/device_groups/37/devices/121', { method: 'POST' })).status).toBe(202);
    clock.advance(299);
    expect(groupOf121()).toBe(1);
    clock.advance(1);
    expect(groupOf121()).toBe(37);

    await simulator.webhooksSettled();
    expect(receiver.received).toMatchObject([
      {
        type: 'device.changed_group',
        at: '2024-07-01T05:00:00.300-07:00',
        data: {
          device: { id: 121, udid: '4A08359C-1D3A-5D3E-939E-FFA6A561321D', serial_number: 'DNFJE9DNG5MG' },
        },
      },
    ]);
  });

  test('into the current group: 202 and no webhook', async () => {
    const { url, clock, simulator } = await simulatorForTest({ delays: { groupChangeMs: 5 } });
    expect((await call(url, '/device_groups/1/devices/121', { method: 'POST' })).status).toBe(202);
    clock.advance(5);
    expect(simulator.webhookDeliveries()).toEqual([]);
  });

  test.each(['/device_groups/999/devices/121', '/device_groups/37/devices/999'])('%s: 404', async (path) => {
    const { url } = await simulatorForTest();
    expect((await call(url, path, { method: 'POST' })).status).toBe(404);
  });
});

describe('script jobs', () => {
  test('a job is pending, then completed with its output and a log entry', async () => {
    const { url, clock } = await simulatorForTest();
    const made = recordOf(
      await call(url, '/script_jobs', json('POST', { script_id: 32, device_ids: '54,121' })),
    );
    expect(made).toMatchObject({
      id: 341,
      attributes: { script_name: 'script-8ilpJ', status: 'pending', pending_count: 1, success_count: 0 },
    });

    clock.advance(800);
    expect(recordOf(await call(url, '/script_jobs/341'))).toMatchObject({
      attributes: { status: 'completed', pending_count: 0, success_count: 1, errored_count: 0 },
      relationships: {
        device: {
          data: [{ type: 'device', id: 54, status: 'completed', status_code: '0', response: 'Hello!\n' }],
        },
      },
    });
    expect(listOf(await call(url, '/script_jobs')).data[0]?.relationships).toEqual({
      device: { data: [{ type: 'device', id: 54, status: 'completed' }] },
    });

    const log = listOf(await call(url, '/logs?serial_number=C02XK1ZMJGH5')).data[0];
    expect(log?.attributes).toMatchObject({
      event_type: 'script.ran',
      at: '07/01/24 05:00:00',
      metadata: { name: 'script-8ilpJ', job_status: '0', job_response: 'Hello!\n' },
      relationships: { device: { data: { serial_number: 'C02XK1ZMJGH5' } } },
    });
    expect((await call(url, `/logs/${log?.id ?? ''}`)).status).toBe(200);
    expect((await call(url, '/logs/ffff')).status).toBe(404);
  });

  test('a script with an exit code other than 0 completes with errors', async () => {
    const { url, clock } = await simulatorForTest();
    await call(url, '/scripts', json('POST', { name: 'Fails', file: '#!/bin/sh\necho oh no\nexit 3\n' }));
    await call(url, '/script_jobs', json('POST', { script_id: 35, device_ids: 54 }));
    clock.advance(800);
    expect(recordOf(await call(url, '/script_jobs/341'))).toMatchObject({
      attributes: { status: 'completed-with-errors', errored_count: 1 },
      relationships: { device: { data: [{ status: 'error', status_code: '3', response: 'oh no\n' }] } },
    });
  });

  test('the Macs of groups and of assignment groups are included', async () => {
    const { url } = await simulatorForTest();
    const targets = async (body: unknown) =>
      recordOf(await call(url, '/script_jobs', json('POST', body))).relationships;
    const device = (id: number) => ({ device: { data: [expect.objectContaining({ id })] } });
    expect(await targets({ script_id: 31, group_ids: '1' })).toEqual(device(56));
    expect(await targets({ script_id: 31, assignment_group_ids: '26,38' })).toEqual(device(54));
  });

  test.each([
    ['no script', { device_ids: '54' }, 422],
    ['an unknown script', { script_id: 999, device_ids: '54' }, 404],
    ['no targets at all', { script_id: 31 }, 422],
    ['no Mac among the targets', { script_id: 31, device_ids: '121', group_ids: '38' }, 422],
    ['something that is no id', { script_id: 31, device_ids: '54,mac' }, 422],
  ])('%s is refused', async (_, body, status) => {
    const { url, simulator } = await simulatorForTest();
    expect((await call(url, '/script_jobs', json('POST', body))).status).toBe(status);
    expect(simulator.scriptJobs()).toEqual([]);
  });

  test('a pending job can be cancelled and stays readable; a finished job cannot be cancelled', async () => {
    const { url, clock, simulator } = await simulatorForTest();
    const job = json('POST', { script_id: 31, device_ids: '54' });
    await call(url, '/script_jobs', job);
    expect((await call(url, '/script_jobs/341', { method: 'DELETE' })).status).toBe(204);
    await call(url, '/script_jobs', job);
    clock.advance(800);
    expect((await call(url, '/script_jobs/342', { method: 'DELETE' })).status).toBe(422);
    expect(simulator.scriptJobs().map(({ attributes }) => attributes.status)).toEqual([
      'cancelled',
      'completed',
    ]);
  });
});
