import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createManualClock, startSimulator } from '../../simulator/start.js';
import type { ManualClock, Simulator } from '../../simulator/start.js';
import { createSimpleMdm } from '../../src/simplemdm/client.js';
import { all } from '../integration/simplemdm/failure-of.js';
import { example } from './examples.js';
import { differences } from './shape.js';

const apiKey = 'api-key-of-the-test';
let simulator: Simulator;
let clock: ManualClock;

beforeAll(async () => {
  clock = createManualClock();
  simulator = await startSimulator({ apiKey, clock });
});

afterAll(() => simulator.close());

async function call(method: string, path: string, form?: Readonly<Record<string, string>>) {
  const response = await fetch(simulator.url + path, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` },
    ...(form && { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, body, contentType: response.headers.get('content-type') };
}

const same = { missing: [], added: [], changed: [] };

describe('the simulator answers as the reference shows, to the key and JSON type', () => {
  test.each([
    ['account-show', '/account'],
    ['devices-retrieve', '/devices/121'],
    ['devices-list', '/devices?limit=100'],
    ['installed-apps-list', '/devices/121/installed_apps'],
    ['installed-apps-retrieve', '/installed_apps/6632'],
    ['device-groups-list', '/device_groups'],
    ['device-groups-retrieve', '/device_groups/37'],
    ['enrollments-list', '/enrollments'],
    ['enrollments-show', '/enrollments/5'],
    ['logs-list', '/logs?limit=100'],
    ['logs-retrieve', '/logs/964595dfd5be464a82cbb9019f55d82b'],
    ['scripts-list', '/scripts'],
    ['scripts-retrieve', '/scripts/32'],
    ['dep-servers-list', '/dep_servers'],
  ])('%s: GET %s', async (name, path) => {
    const { status, body, contentType } = await call('GET', path);
    expect(status).toBe(200);
    expect(contentType).toBe('application/json; charset=utf-8');
    expect(differences(example(name), body, true)).toEqual(same);
  });

  test.each([
    ['devices-retrieve', '/devices/121'],
    ['device-groups-retrieve', '/device_groups/37'],
    ['enrollments-show', '/enrollments/5'],
    ['installed-apps-retrieve', '/installed_apps/6632'],
    ['logs-retrieve', '/logs/964595dfd5be464a82cbb9019f55d82b'],
    ['scripts-list', '/scripts'],
    ['dep-servers-list', '/dep_servers'],
  ])('%s: what the reference shows is there with its values', async (name, path) => {
    expect((await call('GET', path)).body).toEqual(example(name));
  });

  test('custom-attribute-values-list, with what later editions add', async () => {
    const { body } = await call('GET', '/devices/54/custom_attribute_values');
    expect(differences(example('custom-attribute-values-list'), body)).toEqual({
      ...same,
      added: ['.data[].attributes.secret', '.data[].attributes.source'],
    });
  });

  test('script-jobs-create, -retrieve and -list', async () => {
    const form = { script_id: '32', device_ids: '54,56' };
    const made = await call('POST', '/script_jobs', form);
    expect(made.status).toBe(201);
    expect(differences(example('script-jobs-create'), made.body, true)).toEqual(same);
    const [job] = simulator.scriptJobs();
    clock.advance(2000);
    const retrieved = await call('GET', `/script_jobs/${job?.id ?? ''}`);
    expect(differences(example('script-jobs-retrieve'), retrieved.body)).toEqual(same);
    expect(retrieved.body).toMatchObject({
      data: {
        attributes: { status: 'completed', pending_count: 0, success_count: 2 },
        relationships: {
          device: { data: [{ status: 'completed', status_code: '0', response: 'Hello!\n' }, {}] },
        },
      },
    });
    const { body } = await call('GET', '/script_jobs');
    expect(differences(example('script-jobs-list'), body, true)).toEqual(same);
  });

  test('devices-create: all that the reference shows, and nothing that a device record does not have', async () => {
    const made = await call('POST', '/devices', { name: "Sara's iPad", group_id: '41' });
    expect(made.status).toBe(201);
    const { missing, changed } = differences(example('devices-create'), made.body);
    expect({ missing, changed }).toEqual({ missing: [], changed: [] });
  });

  test('error', async () => {
    const { status, body } = await call('GET', '/devices/99999');
    expect(status).toBe(404);
    expect(body).toEqual(example('error'));
  });
});

describe('every device of the simulator', () => {
  test('has all that the reference shows of one, in the same JSON types or null', async () => {
    const { body } = await call('GET', '/devices?limit=100&include_awaiting_enrollment=true');
    const devices = await all(client().devices.list({ includeAwaitingEnrollment: true }));
    expect(devices.length).toBeGreaterThan(5);
    for (const { id } of devices) {
      const one = await call('GET', `/devices/${id}`);
      const { missing, changed } = differences(example('devices-retrieve'), one.body);
      // A device that waits for its enrollment has empty lists.
      const lacking = missing.filter((path) => !path.endsWith('[]'));
      expect({ id, lacking, changed }).toEqual({ id, lacking: [], changed: [] });
    }
    expect(differences(example('devices-list'), body).missing).toEqual([]);
  });
});

function client() {
  return createSimpleMdm({ account: 'default', apiKey, baseUrl: simulator.url, timeoutMs: 5000 });
}

test('every list of the simulator can be read by the client', async () => {
  const api = client();
  const counts = [
    await all(api.deviceGroups.list()),
    await all(api.enrollments.list()),
    await all(api.scripts.list()),
    await all(api.depServers.list()),
    await all(api.depServers.listDepDevices(1)),
    await all(api.depServers.listDepDevices(2)),
    await all(api.logs.list()),
    ...(await Promise.all([54, 56, 98, 117, 121].map((id) => all(api.devices.listInstalledApps(id))))),
    ...(await Promise.all([11, 54, 121].map((id) => api.customAttributes.getValuesForDevice(id)))),
  ].map(({ length }) => length);
  expect(Math.min(...counts)).toBeGreaterThan(0);
});
