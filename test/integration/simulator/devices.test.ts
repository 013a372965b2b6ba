import { describe, expect, test } from '@jest/globals';
import { call, idsOf, json, listOf, recordOf } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

describe('devices', () => {
  test('the list has devices that await their enrollment only on request', async () => {
    const { url } = await simulatorForTest();
    expect(idsOf(await call(url, '/devices'))).toEqual([54, 56, 98, 117, 121]);
    expect(idsOf(await call(url, '/devices?include_awaiting_enrollment=True'))).toEqual([
      11, 54, 56, 98, 117, 121,
    ]);
  });

  test.each([
    ['name', 'mike', [121]],
    ['UDID', '4A08359C-1D3A', [121]],
    ['serial number', 'C02XK1ZMJGH5', [54]],
    ['IMEI', '35 445506', [121]],
    ['MAC address', 'f0:db:e2:df:e9:2f', [121]],
    ['phone number', '%2B15555555555', [121]],
    ['unknown text', 'no such thing', []],
  ])('search finds by %s', async (_, text, ids) => {
    const { url } = await simulatorForTest();
    expect(idsOf(await call(url, `/devices?search=${text}`))).toEqual(ids);
  });

  test('device 121 is the device of the reference', async () => {
    const { url } = await simulatorForTest();
    const device = recordOf(await call(url, '/devices/121'));
    expect(device.attributes).toMatchObject({
      name: "Mike's iPhone",
      os_version: '14.7',
      available_device_capacity: 119.07,
      battery_level: '100%',
      processor_architecture: null,
      filevault_recovery_key: null,
      firewall: { enabled: null },
    });
    expect(device.relationships).toMatchObject({
      device_group: { data: { type: 'device_group', id: 1 } },
      groups: { data: [] },
    });
  });

  test('Macs have secrets, so that tests can show that a client removes them', async () => {
    const { url } = await simulatorForTest();
    const secret = expect.stringMatching(/^[\w-]{10,}$/);
    expect(recordOf(await call(url, '/devices/54')).attributes).toMatchObject({
      filevault_recovery_key: secret,
      recovery_lock_password: secret,
    });
    expect(recordOf(await call(url, '/devices/56')).attributes).toMatchObject({ firmware_password: secret });
  });

  test('a record has secret attribute values only on request', async () => {
    const { url } = await simulatorForTest();
    expect((await call(url, '/devices/54')).text).not.toContain('plum-harbour');
    expect((await call(url, '/devices/54?include_secret_custom_attributes=true')).text).toContain(
      'plum-harbour',
    );
  });

  test('create returns 201 with an enrollment URL and creates a one-time enrollment', async () => {
    const { url } = await simulatorForTest();
    const reply = await call(url, '/devices/', {
      method: 'POST',
      body: new URLSearchParams({ name: "Sara's iPad", group_id: '41' }),
    });
    expect(reply.status).toBe(201);
    const device = recordOf(reply);
    expect(device).toMatchObject({
      id: 500,
      attributes: {
        name: "Sara's iPad",
        status: 'awaiting enrollment',
        enrollment_url: expect.stringContaining('/e/?c='),
      },
      relationships: { device_group: { data: { id: 41 } } },
    });
    expect(listOf(await call(url, '/enrollments')).data.at(-1)).toMatchObject({
      attributes: { url: device.attributes['enrollment_url'] },
      relationships: { device: { data: { type: 'device', id: 500 } } },
    });
    expect((await call(url, '/devices', json('POST', { group_id: 41 }))).status).toBe(422);
    expect((await call(url, '/devices', json('POST', { name: 'x', group_id: 999 }))).status).toBe(404);
  });

  test('the name in SimpleMDM changes immediately, the name on the device later and only under supervision', async () => {
    const { url, clock, simulator } = await simulatorForTest();
    const reply = await call(
      url,
      '/devices/121',
      json('PATCH', { name: 'Ashley', device_name: 'ashley-phone' }),
    );
    expect(recordOf(reply).attributes).toMatchObject({ name: 'Ashley', device_name: "Mike's iPhone" });
    clock.advance(300);
    expect(simulator.device(121)?.attributes.device_name).toBe('ashley-phone');
    expect((await call(url, '/devices/11', json('PATCH', { device_name: 'x' }))).status).toBe(200);
  });

  test('delete returns 204; then the device is gone', async () => {
    const { url, simulator } = await simulatorForTest();
    expect(await call(url, '/devices/98', { method: 'DELETE' })).toMatchObject({ status: 204, text: '' });
    expect(await call(url, '/devices/98')).toMatchObject({
      status: 404,
      body: { errors: [{ title: 'object not found' }] },
    });
    expect(simulator.webhookDeliveries()).toMatchObject([{ type: 'device.unenrolled' }]);
  });

  test('profiles, apps and users of a device', async () => {
    const { url } = await simulatorForTest();
    expect(idsOf(await call(url, '/devices/121/profiles'))).toEqual([13]);
    expect(idsOf(await call(url, '/devices/121/installed_apps'))).toEqual([578, 587, 618]);
    expect(idsOf(await call(url, '/devices/54/users'))).toEqual([5, 6]);
    expect(idsOf(await call(url, '/devices/121/users'))).toEqual([]);
    expect(recordOf(await call(url, '/installed_apps/6632')).attributes).toMatchObject({
      name: 'Sunset Run',
    });
    expect((await call(url, '/installed_apps/1')).status).toBe(404);
  });

  test.each([
    '/devices/999',
    '/devices/abc',
    '/devices/999/installed_apps',
    '/nothing',
    '/devices/121/nothing',
  ])('%s is a 404', async (path) => {
    const { url } = await simulatorForTest();
    expect(await call(url, path)).toMatchObject({
      status: 404,
      body: { errors: [{ title: 'object not found' }] },
    });
  });
});

describe('custom attribute values', () => {
  test('a value comes from the device, else its group, else the account', async () => {
    const { url } = await simulatorForTest();
    const value = async (id: number) =>
      listOf(await call(url, `/devices/${id}/custom_attribute_values`)).data[0];
    expect(await value(54)).toMatchObject({
      id: 'department',
      attributes: { value: 'Engineering', source: 'device' },
    });
    expect(await value(56)).toMatchObject({ attributes: { value: 'unassigned', source: 'account' } });
    await call(url, '/device_groups/1/custom_attribute_values/department', json('PUT', { value: 'Ops' }));
    expect(await value(56)).toMatchObject({ attributes: { value: 'Ops', source: 'group' } });
  });

  test('one attribute is secret', async () => {
    const { url } = await simulatorForTest();
    expect(listOf(await call(url, '/devices/54/custom_attribute_values')).data).toContainEqual({
      type: 'custom_attribute_value',
      id: 'local_admin_password',
      attributes: { value: 'plum-harbour-72-quartz', secret: true, source: 'device' },
    });
  });

  test('setting a value returns 200 with the value, 422 for an undefined attribute or no value', async () => {
    const { url } = await simulatorForTest();
    const set = (name: string, body: unknown) =>
      call(url, `/devices/121/custom_attribute_values/${name}`, json('PUT', body));
    expect(recordOf(await set('department', { value: 'Sales' }))).toMatchObject({
      id: 'department',
      attributes: { value: 'Sales' },
    });
    expect(recordOf(await set('department', { value: '' }))).toMatchObject({ attributes: { value: '' } });
    expect((await set('shoe_size', { value: '9' })).status).toBe(422);
    expect((await set('department', {})).status).toBe(422);
  });
});
