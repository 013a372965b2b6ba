import { describe, expect, test } from '@jest/globals';
import { call, idsOf, json, listOf, readOnlyApiKey, recordOf } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

describe('methods', () => {
  test.each(['/devices', '/devices/54', '/custom_configuration_profiles/13/download', '/devices/999'])(
    'HEAD %s responds like GET, without a body',
    async (path) => {
      const { url } = await simulatorForTest();
      const got = await call(url, path);
      const head = await call(url, path, { method: 'HEAD', key: readOnlyApiKey });
      expect(head).toMatchObject({ status: got.status, text: '' });
      for (const name of ['content-type', 'content-length', 'etag']) {
        expect(head.headers.get(name)).toBe(got.headers.get(name));
      }
    },
  );

  test('PUT and PATCH are the same', async () => {
    const { url } = await simulatorForTest();
    const renamed = await call(url, '/devices/54', json('PUT', { name: 'Renamed' }));
    expect(recordOf(renamed).attributes['name']).toBe('Renamed');
    const value = await call(
      url,
      '/devices/54/custom_attribute_values/department',
      json('PATCH', { value: 'Sales' }),
    );
    expect(recordOf(value)).toMatchObject({ attributes: { value: 'Sales' } });
    expect((await call(url, '/devices/54/restart', { method: 'PUT' })).status).toBe(404);
  });
});

describe('a download', () => {
  test('has a weak ETag of 32 hexadecimal digits; 304 when the client has it', async () => {
    const { url } = await simulatorForTest();
    const path = '/custom_configuration_profiles/13/download';
    const file = await call(url, path);
    const etag = file.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/);
    expect(await call(url, path, { headers: { 'if-none-match': etag } })).toMatchObject({
      status: 304,
      text: '',
    });
  });
});

describe('names of custom attributes are case insensitive', () => {
  const value = 'custom_attribute_values/Department';

  test.each([
    ['read', 'GET', '/custom_attributes/DEPARTMENT', undefined, 200],
    ['change', 'PATCH', '/custom_attributes/Department', { default_value: 'x' }, 204],
    ['set on a device', 'PUT', `/devices/54/${value}`, { value: 'Ops' }, 200],
    ['set on a device group', 'PUT', `/device_groups/1/${value}`, { value: 'Ops' }, 200],
    ['set on an assignment group', 'PUT', `/assignment_groups/26/${value}`, { value: 'Ops' }, 200],
    ['set on devices', 'PUT', `/${value}`, { data: [{ device_id: '54', value: 'Ops' }] }, 200],
    [
      'set among others',
      'PUT',
      '/devices/54/custom_attribute_values',
      { data: [{ name: 'DEPARTMENT', value: 'Ops' }] },
      200,
    ],
    ['delete', 'DELETE', '/custom_attributes/Department', undefined, 204],
  ])('%s', async (_, method, path, body, status) => {
    const { url } = await simulatorForTest();
    expect((await call(url, path, body === undefined ? { method } : json(method, body))).status).toBe(status);
  });

  test('the record keeps the name as it was created', async () => {
    const { url, clock } = await simulatorForTest();
    await call(url, '/custom_attributes', json('POST', { name: 'CostCenter' }));
    await call(url, '/devices/54/custom_attribute_values/costcenter', json('PUT', { value: '17' }));
    const values = listOf(await call(url, '/devices/54/custom_attribute_values')).data;
    expect(values).toContainEqual(
      expect.objectContaining({ id: 'CostCenter', attributes: expect.objectContaining({ value: '17' }) }),
    );
    await call(url, '/custom_attributes/COSTCENTER', { method: 'DELETE' });
    clock.advance(5000);
    expect((await call(url, '/custom_attributes/CostCenter')).status).toBe(404);
  });

  test('an undefined one is a 422, also for several devices', async () => {
    const { url } = await simulatorForTest();
    const body = { data: [{ device_id: 54, value: 'x' }] };
    expect((await call(url, '/custom_attribute_values/shoe_size', json('PUT', body))).status).toBe(422);
  });
});

describe('assignment groups', () => {
  test('an app has the deployment and the kind of installation that were sent last', async () => {
    const { url } = await simulatorForTest();
    const query = 'deployment_type=munki&install_type=self_serve';
    expect((await call(url, `/assignment_groups/38/apps/34?${query}`, { method: 'POST' })).status).toBe(204);
    await call(url, '/assignment_groups/38/apps/63?install_type=managed', { method: 'POST' });
    expect(recordOf(await call(url, '/assignment_groups/38')).relationships).toMatchObject({
      apps: {
        data: [
          { type: 'app', id: 63, deployment_type: 'standard', install_type: 'managed' },
          { type: 'app', id: 67, deployment_type: 'standard', install_type: null },
          { type: 'app', id: 34, deployment_type: 'munki', install_type: 'self_serve' },
        ],
      },
    });
  });

  test('a profile names its assignment groups, and counts their devices', async () => {
    const { url } = await simulatorForTest();
    await call(url, '/assignment_groups/26/profiles/15', { method: 'POST' });
    expect(recordOf(await call(url, '/profiles/15'))).toMatchObject({
      attributes: { group_count: 1 },
      relationships: {
        device_groups: {
          data: [],
          groups: { data: [{ type: 'assignment_group', id: 26, group_type: 'static' }] },
        },
      },
    });
  });

  test('a device that leaves is in no group any more', async () => {
    const { url } = await simulatorForTest();
    await call(url, '/devices/54', { method: 'DELETE' });
    expect(recordOf(await call(url, '/assignment_groups/26')).relationships).toMatchObject({
      devices: { data: [] },
    });
    expect(recordOf(await call(url, '/device_groups/41')).relationships).toEqual({ devices: { data: [] } });
  });
});

test('device groups list generated devices, each once', async () => {
  const { url } = await simulatorForTest({ fleet: { devices: 300, seed: 5 } });
  const groups = listOf(await call(url, '/device_groups')).data;
  const members = groups.flatMap(({ relationships }) =>
    JSON.stringify(relationships)
      .match(/"id":(\d+)/g)
      ?.map((id) => Number(id.slice(5))),
  );
  expect(members).toHaveLength(306);
  expect(new Set(members).size).toBe(306);
  await call(url, '/devices/10000', { method: 'DELETE' });
  const left = listOf(await call(url, '/device_groups')).data.map(({ relationships }) =>
    JSON.stringify(relationships),
  );
  expect(left.join('')).not.toContain('"id":10000}');
});

test('a phone has its SIM with thirteen fields', async () => {
  const { simulator } = await simulatorForTest();
  const { id } = simulator.enroll({ kind: 'iphone' });
  const [subscription] = simulator.device(id)?.attributes.service_subscriptions ?? [];
  expect(Object.keys(subscription ?? {})).toHaveLength(13);
});

test('custom declarations take the payload as a file, as text or as a JSON object', async () => {
  const { url } = await simulatorForTest();
  const form = new FormData();
  form.append('payload', new Blob(['{"a":1}']), 'declaration.json');
  const query = 'name=One&declaration_type=com.apple.x&user_scope=True';
  const made = await call(url, `/custom_declarations/?${query}`, { method: 'POST', body: form });
  expect(made.status).toBe(201);
  const id = String(recordOf(made).id);
  for (const payload of ['{"a":2}', { a: 2 }]) {
    expect((await call(url, `/custom_declarations/${id}`, json('PATCH', { payload }))).status).toBe(200);
    expect((await call(url, `/custom_declarations/${id}/download`)).body).toMatchObject({
      Type: 'com.apple.x',
      Payload: { a: 2, declaration_name: 'One' },
    });
  }
  expect(idsOf(await call(url, '/profiles'))).toContain(Number(id));
  await call(url, `/custom_declarations/${id}/devices/54`, { method: 'POST' });
  expect(idsOf(await call(url, '/devices/54/profiles'))).toEqual([Number(id)]);
});

test('--edition reference: records are as in the API reference', async () => {
  const { url } = await simulatorForTest({ edition: 'reference' });
  expect(Object.keys(recordOf(await call(url, '/devices/121')).attributes)).toHaveLength(66);
  expect(recordOf(await call(url, '/assignment_groups/26'))).toMatchObject({
    attributes: { name: 'SimpleMDM', auto_deploy: true },
    relationships: {
      apps: {
        data: [
          { type: 'app', id: 34 },
          { type: 'app', id: 67 },
        ],
      },
    },
  });
  const values = listOf(await call(url, '/devices/54/custom_attribute_values')).data;
  expect(values[0]?.attributes).toEqual({ value: 'Engineering' });
});
