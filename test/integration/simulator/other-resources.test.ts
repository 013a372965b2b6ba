import { describe, expect, test } from '@jest/globals';
import { call, idsOf, json, listOf, recordOf } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

describe('the resources of the account', () => {
  test.each([
    ['/device_groups', [1, 37, 38, 41]],
    ['/assignment_groups', [26, 38]],
    ['/apps', [34, 63, 67]],
    ['/scripts', [31, 32]],
    ['/enrollments', [3, 4, 5, 6, 7]],
    ['/dep_servers', [1, 2]],
    ['/dep_servers/1/dep_devices', [21, 22]],
  ])('%s lists %j, each of which can be retrieved', async (path, ids) => {
    const { url } = await simulatorForTest();
    const list = listOf(await call(url, path));
    expect(list.data.map(({ id }) => id)).toEqual(ids);
    for (const record of list.data) expect(recordOf(await call(url, `${path}/${record.id}`))).toEqual(record);
    expect((await call(url, `${path}/999`)).status).toBe(404);
  });

  test('the account and its push certificate', async () => {
    const { url } = await simulatorForTest();
    expect((await call(url, '/account')).body).toEqual({
      data: {
        type: 'account',
        attributes: {
          name: 'SimpleMDM',
          apple_store_country_code: 'US',
          subscription: { licenses: { total: 500, available: 495 } },
        },
      },
    });
    expect((await call(url, '/push_certificate')).body).toMatchObject({
      data: { type: 'push_certificate', attributes: { apple_id: 'devops@example.org' } },
    });
  });

  test('the id of a custom attribute is its name', async () => {
    const { url } = await simulatorForTest();
    expect(recordOf(await call(url, '/custom_attributes/email_address'))).toEqual({
      type: 'custom_attribute',
      id: 'email_address',
      attributes: { name: 'email_address', default_value: 'user@example.org' },
    });
    expect((await call(url, '/custom_attributes/nothing')).status).toBe(404);
  });
});

describe('invitations', () => {
  const invite = (url: string, id: number, body: unknown) =>
    call(url, `/enrollments/${id}/invitations`, json('POST', body));

  test.each(['it@example.org', '+49 30 1234567', '5035551212'])('%s gets an invitation', async (contact) => {
    const { url, simulator } = await simulatorForTest();
    expect((await invite(url, 5, { contact })).status).toBe(200);
    expect(simulator.invitations()).toEqual([
      { enrollmentId: 5, contact, at: '2024-07-01T05:00:00.000-07:00' },
    ]);
  });

  test.each([
    ['no contact', 5, {}, 422],
    ['neither e-mail nor phone', 5, { contact: 'the new colleague' }, 422],
    ['an account-driven enrollment', 7, { contact: 'it@example.org' }, 422],
    ['an enrollment that is not there', 99, { contact: 'it@example.org' }, 404],
  ])('%s is refused', async (_, id, body, status) => {
    const { url, simulator } = await simulatorForTest();
    expect((await invite(url, id, body)).status).toBe(status);
    expect(simulator.invitations()).toEqual([]);
  });
});

describe('Apple Business Manager', () => {
  test('new hardware is a DEP device; after its enrollment it refers to its device', async () => {
    const { url, simulator } = await simulatorForTest();
    const { serialNumber } = simulator.addToBusinessManager({ model: 'iPad Air', depServerId: 2 });
    const depDevice = async () => listOf(await call(url, '/dep_servers/2/dep_devices')).data.at(-1);
    expect(await depDevice()).toMatchObject({
      type: 'dep_device',
      id: 501,
      attributes: { serial_number: serialNumber, model: 'iPad Air' },
      relationships: { device: { data: null } },
    });
    expect((await call(url, '/dep_servers/1/dep_devices/501')).status).toBe(404);

    const { id } = simulator.enroll({ kind: 'ipad', serialNumber });
    expect(await depDevice()).toMatchObject({ relationships: { device: { data: { type: 'device', id } } } });
  });

  test('an unknown DEP server is an error', async () => {
    const { simulator } = await simulatorForTest();
    expect(() => simulator.addToBusinessManager({ depServerId: 9 })).toThrow('DEP server 9');
  });
});

describe('enrolling', () => {
  test.each([
    ['macbook', 'MacBook'],
    ['mac_mini', 'Mac mini'],
    ['iphone', 'iPhone'],
    ['ipad', 'iPad'],
    ['apple_tv', 'Apple TV'],
  ] as const)('a %s has the attributes of its kind, apps and an id from 500', async (kind, model) => {
    const { url, simulator } = await simulatorForTest();
    const { id, serialNumber } = simulator.enroll({ kind, name: 'Newcomer', groupId: 38 });
    expect(id).toBe(500);
    expect(simulator.device(id)).toMatchObject({
      attributes: {
        name: 'Newcomer',
        status: 'enrolled',
        serial_number: serialNumber,
        model_name: expect.stringContaining(model),
      },
      relationships: { device_group: { data: { id: 38 } } },
    });
    expect(idsOf(await call(url, `/devices/${id}/installed_apps`)).length).toBeGreaterThan(0);
  });

  test('a device with a known serial number enrolls again under its id', async () => {
    const { simulator } = await simulatorForTest();
    expect(simulator.enroll({ kind: 'macbook', serialNumber: 'C02XK1ZMJGH5' }).id).toBe(54);
  });

  test('an unknown group is an error', async () => {
    const { simulator } = await simulatorForTest();
    expect(() => simulator.enroll({ kind: 'ipad', groupId: 9 })).toThrow('device group 9');
  });
});
