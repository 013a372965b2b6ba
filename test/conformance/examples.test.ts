import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createManualClock, startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { readWebhook } from '../../src/events/read-webhook.js';
import { CALL_TESTS } from './calls/all-calls.js';
import { all, startConformanceWorld } from './calls/call-test.js';
import type { World } from './calls/call-test.js';
import { readByClient } from './calls/read-by-client.js';
import { readExcerpt } from './reference/read-reference.js';
import { differences } from './shape.js';

const reference = readExcerpt();
const shown = reference.calls.filter(({ examples }) => examples.length > 0);
const withData = z.looseObject({ data: z.unknown() });

/** The first example body of a call. */
function exampleOf(call: string): unknown {
  const example = reference.calls.find((known) => known.call === call)?.examples[0];
  if (example === undefined) throw new Error(`the reference has no example for ${call}`);
  return example;
}

/** Calls whose examples have values that the client normalizes: numbers as text, log times, levels. */
const NORMALIZED = new Set(['PATCH /devices/{DEVICE_ID}', 'GET /logs', 'GET /logs/{LOG_ID}']);

test('the reference has 45 example bodies', () => {
  expect(shown.flatMap(({ examples }) => examples)).toHaveLength(45);
});

test.each(shown)('$call: the client reads the example without loss', async ({ call, examples }) => {
  const world = await startConformanceWorld();
  const tested = CALL_TESTS.find((known) => known.call === call);
  await tested?.run(world);
  const use = world.used.find(({ method }) => method === tested?.client);
  await world.close();
  for (const example of examples) {
    const { data } = withData.parse(example);
    const read = await readByClient(use?.method ?? '', use?.args ?? [], example);
    if (!NORMALIZED.has(call)) expect(read).toEqual(data);
    expect(differences(data, read).missing).toEqual([]);
  }
});

describe('values that the client normalizes', () => {
  test('an old device record: the location is text, and becomes a number for rules', async () => {
    const device = await readByClient('devices.retrieve', [121], exampleOf('PATCH /devices/{DEVICE_ID}'));
    expect(device).toMatchObject({
      attributes: {
        location_latitude: 75.13421212355,
        location_longitude: -14.313565422,
        location_accuracy: 60,
        battery_level: '93%',
        simmcc: '311',
      },
      relationships: { device_group: { data: { id: 37 } } },
    });
  });

  test('log times become ISO 8601, and levels become text', async () => {
    expect(await readByClient('logs.list', [], exampleOf('GET /logs'))).toMatchObject([
      {
        id: 'abcde123456',
        attributes: {
          level: '0',
          at: '2019-11-06T18:27:41.000Z',
          relationships: { user: { data: { email: 'support@simplemdm.com' } } },
        },
      },
    ]);
    expect(await readByClient('logs.retrieve', ['x'], exampleOf('GET /logs/{LOG_ID}'))).toMatchObject({
      attributes: { level: 'info', at: '2022-06-01T11:26:19.000Z', metadata: { job_status: '0' } },
    });
  });

  test('a signed CSR as a list of lines, as in some accounts', async () => {
    expect(await readByClient('pushCertificate.getSignedCsr', [], { data: ['abc\n', 'def\n'] })).toBe(
      'abc\ndef\n',
    );
  });

  test('a list without has_more is one page', async () => {
    expect(await readByClient('customAttributes.getValuesForDevice', [1], { data: [] })).toEqual([]);
  });
});

describe('responses of real accounts beyond the reference', () => {
  test('newer device records: more attributes, custom attribute values inline, empty relationships', async () => {
    const base = z
      .looseObject({
        data: z.looseObject({ attributes: z.looseObject({}), relationships: z.looseObject({}) }),
      })
      .parse(exampleOf('GET /devices/{DEVICE_ID}'));
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
    expect(await readByClient('devices.retrieve', [121], newer)).toEqual(newer.data);
  });

  test('account driven enrollments, and a newer kind', async () => {
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
    expect(await readByClient('enrollments.list', [], { data, has_more: false })).toEqual(data);
  });

  test('assignment groups with nulls, a repeated device and media', async () => {
    const group = {
      type: 'assignment_group',
      id: 26,
      attributes: {
        name: 'x',
        auto_deploy: true,
        priority: 1,
        type: null,
        group_type: 'dynamic',
        install_type: null,
      },
      relationships: {
        devices: { data: [7, 7].map((id) => ({ type: 'device', id })) },
        media: { data: [{ type: 'media', id: 3 }] },
      },
    };
    expect(await readByClient('assignmentGroups.retrieve', [26], { data: group })).toEqual(group);
  });
});

test('an error has a title', () => {
  expect(reference.general.get('Errors')).toEqual({ errors: [{ title: 'object not found' }] });
});

test('a webhook: accepts the envelope of an unknown type', () => {
  const example = reference.general.get('Webhooks');
  expect(readWebhook(example, new Date())).toMatchObject({ webhook: example, oddities: [], original: {} });
});

describe('the simulator has the examples of the reference', () => {
  let simulator: Simulator;
  let world: World;

  beforeEach(async () => {
    simulator = await startSimulator({ apiKey: 'key', clock: createManualClock(), edition: 'reference' });
    world = await startConformanceWorld();
  });

  afterEach(async () => {
    await simulator.close();
    await world.close();
  });

  test.each([
    ['GET /account', '/account', false],
    ['GET /apps', '/apps', true],
    ['GET /apps/{APP_ID}', '/apps/34', true],
    ['GET /devices/{DEVICE_ID}', '/devices/121', true],
    ['GET /device_groups/{DEVICE_GROUP_ID}', '/device_groups/37', true],
    ['GET /enrollments/{ENROLLMENT_ID}', '/enrollments/5', true],
    ['GET /installed_apps/{INSTALLED_APP_ID}', '/installed_apps/6632', true],
    ['GET /logs/{LOG_ID}', '/logs/964595dfd5be464a82cbb9019f55d82b', true],
    ['GET /scripts', '/scripts', true],
    ['GET /scripts/{SCRIPT_ID}', '/scripts/32', true],
    ['GET /dep_servers', '/dep_servers', true],
    ['GET /push_certificate', '/push_certificate', true],
    ['GET /devices/{DEVICE_ID}/profiles', '/devices/121/profiles', true],
    ['GET /devices/{DEVICE_ID}/users', '/devices/54/users', true],
  ])('%s: GET %s', async (call, path, withValues) => {
    const response = await fetch(simulator.url + path, {
      headers: { authorization: `Basic ${Buffer.from('key:').toString('base64')}` },
    });
    const body: unknown = await response.json();
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(differences(exampleOf(call), body, true)).toEqual({ missing: [], added: [], changed: [] });
    if (withValues) expect(body).toEqual(exampleOf(call));
  });

  test('every device has the attributes of the reference, with the same JSON types or null', async () => {
    const { api } = world;
    const devices = await all(api.devices.list({ includeAwaitingEnrollment: true }));
    expect(devices.length).toBeGreaterThan(5);
    for (const { id } of devices) await api.devices.retrieve(id);
    const records = world.responses.filter(({ call }) => call === 'GET /devices/{DEVICE_ID}');
    for (const { body } of records) {
      const { missing, changed } = differences(exampleOf('GET /devices/{DEVICE_ID}'), body);
      // A device that awaits its enrollment has empty lists.
      expect({ missing: missing.filter((path) => !path.endsWith('[]')), changed }).toEqual({
        missing: [],
        changed: [],
      });
    }
  });
});
