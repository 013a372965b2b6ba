import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { webhookEnvelope } from '../../src/events/envelope.js';
import { problemInData } from '../../src/events/webhook-types.js';
import { createSimpleMdm } from '../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../src/simplemdm/client.js';
import { all, failureOf } from '../integration/simplemdm/failure-of.js';
import { sendJson, startTinyServer } from '../integration/simplemdm/tiny-server.js';
import type { TinyServer } from '../integration/simplemdm/tiny-server.js';
import { example, exampleNames } from './examples.js';

let server: TinyServer | undefined;

afterEach(() => server?.close());

/** A client whose API knows one call alone, and answers it with an example; a second page is empty. */
async function clientThatGets(body: unknown, call: string, status = 200): Promise<SimpleMdm> {
  const known = await startTinyServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://tiny');
    if (`${request.method ?? ''} ${pathname}` !== call)
      sendJson(response, { errors: [{ title: 'object not found' }] }, 404);
    else if (searchParams.has('starting_after')) sendJson(response, { data: [], has_more: false });
    else sendJson(response, body, status);
  });
  server = known;
  return createSimpleMdm({ account: 'default', apiKey: 'key', baseUrl: known.url, timeoutMs: 5000 });
}

const record = z.looseObject({ data: z.unknown() });
const list = z.looseObject({ data: z.array(z.unknown()) });
/** A record that the reference shows alone, as the only one of a list: the client reads such records from lists. */
const listed = (name: string): unknown => ({ data: [record.parse(example(name)).data], has_more: false });

const secrets = new Set(['filevault_recovery_key', 'firmware_password', 'recovery_lock_password']);
/** What the client hands out of an example: all of it but the secrets. */
function withoutSecrets(value: unknown): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(value), (key, member: unknown) =>
    secrets.has(key) ? undefined : member,
  );
  return copy;
}

const lists: [string, string, (api: SimpleMdm) => AsyncIterable<unknown>][] = [
  ['devices-list', 'GET /devices', (api) => api.devices.list()],
  ['installed-apps-list', 'GET /devices/121/installed_apps', (api) => api.devices.listInstalledApps(121)],
  ['device-groups-list', 'GET /device_groups', (api) => api.deviceGroups.list()],
  ['enrollments-list', 'GET /enrollments', (api) => api.enrollments.list()],
  ['scripts-list', 'GET /scripts', (api) => api.scripts.list()],
  ['script-jobs-list', 'GET /script_jobs', (api) => api.scriptJobs.list()],
  ['dep-servers-list', 'GET /dep_servers', (api) => api.depServers.list()],
];

test.each(lists)('%s is read whole', async (name, call, read) => {
  const body = example(name);
  expect(await all(read(await clientThatGets(body, call)))).toEqual(withoutSecrets(list.parse(body).data));
});

test('custom-attribute-values-list is read whole', async () => {
  const body = example('custom-attribute-values-list');
  const api = await clientThatGets(body, 'GET /devices/1/custom_attribute_values');
  expect(await api.customAttributes.getValuesForDevice(1)).toEqual(list.parse(body).data);
});

test('logs-list is read whole; only the time gets a form that says what it means', async () => {
  const body = example('logs-list');
  const [entry] = await all((await clientThatGets(body, 'GET /logs')).logs.list());
  expect(entry).toMatchObject({
    id: 'abcde123456',
    attributes: {
      level: '0',
      at: '2019-11-06T18:27:41.000Z',
      relationships: { user: { data: { email: 'support@simplemdm.com' } } },
    },
  });
});

const ones: [string, string, (api: SimpleMdm) => Promise<unknown>][] = [
  ['account-show', 'GET /account', (api) => api.account.show()],
  ['devices-retrieve', 'GET /devices/121', (api) => api.devices.retrieve(121)],
  ['devices-create', 'GET /devices/980190963', (api) => api.devices.retrieve(980190963)],
  ['device-groups-retrieve', 'GET /device_groups/37', (api) => api.deviceGroups.retrieve(37)],
  [
    'script-jobs-create',
    'POST /script_jobs',
    (api) => api.scriptJobs.create({ scriptId: 35, deviceIds: [33] }),
  ],
];

test.each(ones)('%s is read whole', async (name, call, read) => {
  const body = example(name);
  const status = call.startsWith('POST') ? 201 : 200;
  expect(await read(await clientThatGets(body, call, status))).toEqual(
    withoutSecrets(record.parse(body).data),
  );
});

test('devices-update, an older record: its place is text there, and a number for the rules', async () => {
  const body = example('devices-update');
  const device = await (await clientThatGets(body, 'GET /devices/121')).devices.retrieve(121);
  expect(device.attributes).toMatchObject({
    location_latitude: 75.13421212355,
    location_longitude: -14.313565422,
    location_accuracy: 60,
    battery_level: '93%',
    simmcc: '311',
  });
  expect(device.relationships?.device_group?.data?.id).toBe(37);
});

const alone: [string, string, (api: SimpleMdm) => AsyncIterable<unknown>][] = [
  ['installed-apps-retrieve', 'GET /devices/1/installed_apps', (api) => api.devices.listInstalledApps(1)],
  ['enrollments-show', 'GET /enrollments', (api) => api.enrollments.list()],
  ['scripts-retrieve', 'GET /scripts', (api) => api.scripts.list()],
  ['script-jobs-retrieve', 'GET /script_jobs', (api) => api.scriptJobs.list()],
];

test.each(alone)('%s is read whole as one of a list', async (name, call, read) => {
  expect(await all(read(await clientThatGets(listed(name), call)))).toEqual([
    record.parse(example(name)).data,
  ]);
});

test('logs-retrieve is read as one of a list', async () => {
  const [entry] = await all((await clientThatGets(listed('logs-retrieve'), 'GET /logs')).logs.list());
  expect(entry?.attributes).toMatchObject({
    level: 'info',
    at: '2022-06-01T11:26:19.000Z',
    metadata: { job_status: '0', job_response: 'Hello World!\n' },
  });
});

test('error: its title is what a person is told', async () => {
  const api = await clientThatGets(example('error'), 'GET /account', 404);
  const error = await failureOf(api.account.show());
  expect(error.failure.titles).toEqual(['object not found']);
});

test('webhook: the envelope is taken, its type being one that nobody knows', () => {
  const parsed = webhookEnvelope.parse(example('webhook'));
  expect(parsed).toEqual(example('webhook'));
  expect(problemInData(parsed)).toBeUndefined();
});

test('every example is used', () => {
  const used = [
    ...[...lists, ...ones, ...alone].map(([name]) => name),
    'custom-attribute-values-list',
    'logs-list',
    'logs-retrieve',
    'devices-update',
    'error',
    'webhook',
  ];
  expect([...used].sort()).toEqual(exampleNames().sort());
});

// What the real API was seen to send, beyond the reference.
test('newer device records: more attributes, values of custom attributes inline, relationships that are empty', async () => {
  const base = z
    .looseObject({ data: z.looseObject({ attributes: z.looseObject({}), relationships: z.looseObject({}) }) })
    .parse(example('devices-retrieve'));
  const newer = {
    data: {
      ...base.data,
      attributes: {
        ...base.data.attributes,
        last_seen_at: '2024-07-01T19:28:08.000Z',
        dep_enrolled: true,
        dep_assigned: null,
        ddm_enabled: true,
        user_enrollment: false,
        auto_admin_name: 'itadmin',
        supplemental_build_version: null,
        time_zone: 'America/Los_Angeles',
        service_subscriptions: [{ label: 'x' }],
      },
      relationships: { ...base.data.relationships, custom_attribute_values: { data: [] } },
    },
  };
  const device = await (await clientThatGets(newer, 'GET /devices/121')).devices.retrieve(121);
  expect(device).toEqual(withoutSecrets(newer.data));
});

test('an enrollment that is account-driven, and one of a newer kind', async () => {
  const data = [
    {
      type: 'enrollment',
      id: 7,
      attributes: { url: null, user_enrollment: true, welcome_screen: false, authentication: true },
    },
    {
      type: 'enrollment',
      id: 8,
      attributes: { url: 'https://x' },
      relationships: { device_group: { data: null } },
    },
  ];
  expect(
    await all((await clientThatGets({ data, has_more: false }, 'GET /enrollments')).enrollments.list()),
  ).toEqual(data);
});

test('a list without has_more is one page', async () => {
  const api = await clientThatGets({ data: [] }, 'GET /devices/1/custom_attribute_values');
  expect(await api.customAttributes.getValuesForDevice(1)).toEqual([]);
});
