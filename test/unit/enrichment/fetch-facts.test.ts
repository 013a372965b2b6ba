import { describe, expect, test } from '@jest/globals';
import { createFactFetcher, isRetryable } from '../../../src/enrichment/fetch-facts.js';
import type { FactFetcher } from '../../../src/enrichment/fetch-facts.js';
import { LookupUnavailableError } from '../../../src/lookups/http-lookup.js';
import type { Lookups } from '../../../src/lookups/lookups.js';
import { LookupTable } from '../../../src/rules/lookups/lookup-table.js';
import type { LookupData } from '../../../src/rules/model/lookup.js';
import type { Event } from '../../../src/events/envelope.js';
import type { FactTrace } from '../../../src/journal/trace.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import { cannedApi } from '../simplemdm/canned-api.js';
import type { CannedResponses } from '../simplemdm/canned-api.js';

const DEVICE = {
  type: 'device',
  id: 121,
  attributes: {
    name: 'Mac',
    serial_number: 'C02',
    product_name: 'Mac14,2',
    device_capacity: '500',
    available_device_capacity: 125,
  },
  relationships: { device_group: { data: { type: 'device_group', id: 7 } } },
};

const EVENT: Event = {
  id: 'e',
  account: 'default',
  type: 'device.enrolled',
  at: '2024-01-01T00:00:00Z',
  receivedAt: '2024-01-01T00:00:00Z',
  source: 'webhook',
  data: { device: { id: 121 } },
};

interface Setup {
  readonly facts: FactFetcher;
  readonly records: readonly { readonly name: string; readonly record: FactTrace }[];
  readonly requests: readonly string[];
}

function setUp(
  answers: CannedResponses,
  data: Record<string, unknown> = { device: { id: 121 } },
  known: ReadonlyMap<string, FactTrace> = new Map(),
): Setup {
  const { api, lists, requests } = cannedApi(answers);
  const records: { name: string; record: FactTrace }[] = [];
  const facts = createFactFetcher({
    event: {
      id: 'e',
      account: 'default',
      type: 'device.enrolled',
      at: '2024-01-01T00:00:00Z',
      receivedAt: '2024-01-01T00:00:00Z',
      source: 'webhook',
      data,
    },
    api,
    lists,
    known,
    onFact: (name, record) => {
      records.push({ name, record });
      return Promise.resolve();
    },
  });
  return { facts, records, requests };
}

const FOUND: CannedResponses = {
  '/devices/121': { data: DEVICE },
  '/device_groups': { data: [{ type: 'device_group', id: 7, attributes: { name: 'Laptops' } }] },
};

function record(id: number, status: string, enrolledAt: string | null) {
  const attributes = { ...DEVICE.attributes, status, enrolled_at: enrolledAt };
  return { ...DEVICE, id, attributes };
}

function trace(status: FactTrace['status'], value: unknown): FactTrace {
  return { status, value, fetchedAt: '2024-01-01T00:00:00Z', durationMs: 1, calls: [] };
}

describe('createFactFetcher', () => {
  test('fetches a fact once, however often it is requested', async () => {
    const { facts, records, requests } = setUp(FOUND);
    const [one, other] = await Promise.all([
      facts.fetch('device'),
      facts.fetch('device'),
      facts.fetch('group'),
    ]);
    await facts.fetch('device');
    expect(other).toBe(one);
    expect(requests.filter((path) => path === '/devices/121')).toHaveLength(1);
    expect(records.map(({ name }) => name).sort()).toEqual(['device', 'group']);
  });

  test('reports the value', async () => {
    const { facts, records } = setUp(FOUND);
    const value = await facts.fetch('device');
    expect(value).toMatchObject({
      id: 121,
      group_id: 7,
      name: 'Mac',
      platform: 'macOS',
      device_capacity: 500,
      capacity_free_ratio: 0.25,
    });
    expect(records).toEqual([
      {
        name: 'device',
        record: {
          status: 'found',
          value,
          fetchedAt: expect.stringMatching(/^\d{4}-.*Z$/),
          durationMs: expect.any(Number),
          calls: [],
        },
      },
    ]);
    expect(await facts.fetch('group')).toEqual({ id: 7, name: 'Laptops' });
  });

  test('a device that has left, or an event without a device, gives null', async () => {
    const gone = setUp({ '/devices/121': 404 });
    expect(await gone.facts.fetch('device')).toBeNull();
    expect(await gone.facts.fetch('group')).toBeNull();
    expect(gone.records.map(({ name, record }) => [name, record.status, record.value])).toEqual([
      ['device', 'missing', null],
      ['group', 'missing', null],
    ]);
    const none = setUp({}, {});
    for (const name of ['device', 'apps', 'attributes', 'logs', 'group', 'dep_device']) {
      expect(await none.facts.fetch(name)).toBeNull();
    }
    expect(none.requests).toEqual([]);
  });

  test('reports a failure, then throws it', async () => {
    const { facts, records } = setUp({ '/devices/121': 500 });
    await expect(facts.fetch('device')).rejects.toThrow(SimpleMdmError);
    expect(records.map(({ name, record }) => [name, record.status, record.value])).toEqual([
      ['device', 'failed', null],
    ]);
    expect(records[0]?.record).toMatchObject({
      code: 'api/server-error',
      error: 'GET /devices/121 (account default) returned 500',
    });
  });

  test('a device lookup by serial number requires an exact match', async () => {
    const other = { ...DEVICE, id: 122, attributes: { ...DEVICE.attributes, serial_number: 'C021' } };
    const { facts } = setUp({ '/devices': { data: [other, DEVICE] } }, { device: { serial_number: 'C02' } });
    expect(await facts.fetch('device')).toMatchObject({ id: 121 });
    const none = setUp({ '/devices': { data: [other] } }, { device: { serial_number: 'C02' } });
    expect(await none.facts.fetch('device')).toBeNull();
  });

  test.each<[string, unknown[], number]>([
    ['the enrolled one', [record(9, 'unenrolled', '2026-09-01'), record(3, 'enrolled', '2026-01-01')], 3],
    [
      'the one that enrolled last',
      [record(3, 'enrolled', '2026-02-01'), record(9, 'enrolled', '2026-01-01')],
      3,
    ],
    ['the highest id', [record(3, 'enrolled', null), record(9, 'enrolled', null)], 9],
    [
      'a record with a time before one without',
      [record(9, 'unenrolled', null), record(3, 'unenrolled', '2026-01-01')],
      3,
    ],
  ])('of several records with one serial number: %s', async (_which, data, id) => {
    for (const order of [data, data.toReversed()]) {
      const { facts, records } = setUp(
        { '/devices': { data: order } },
        { device: { serial_number: 'c02 ' } },
      );
      expect(await facts.fetch('device')).toMatchObject({ id });
      expect(records[0]?.record.warnings).toEqual([
        expect.stringMatching(
          new RegExp(`^2 device records have this serial number: ${id} .* is used, not \\d`),
        ),
      ]);
    }
  });

  test('a UDID finds the device like a serial number: the enrolled record, with a warning', async () => {
    const udid = '868F7125-B1AF-5139-B71F-000000000054';
    const withUdid = (id: number, status: string) => {
      const found = record(id, status, null);
      return { ...found, attributes: { ...found.attributes, unique_identifier: udid } };
    };
    const data = [withUdid(3, 'unenrolled'), withUdid(2, 'enrolled')];
    const { facts, records } = setUp({ '/devices': { data } }, { device: { udid: udid.toLowerCase() } });
    expect(await facts.fetch('device')).toMatchObject({ id: 2 });
    expect(records[0]?.record.warnings?.join()).toContain('2 device records have this UDID: 2 (enrolled)');
    const unreadable = { ...DEVICE, attributes: { ...DEVICE.attributes, unique_identifier: [udid] } };
    const hidden = setUp({ '/devices': { data: [unreadable] } }, { device: { udid } });
    await expect(hidden.facts.fetch('device')).rejects.toThrow('the record may be the device');
  });

  test('a record that cannot be read may be the device that is looked up', async () => {
    const unreadable = { ...DEVICE, id: 120, attributes: { ...DEVICE.attributes, serial_number: ['C02'] } };
    const { facts } = setUp({ '/devices': { data: [unreadable] } }, { device: { serial_number: 'C02' } });
    await expect(facts.fetch('device')).rejects.toThrow(
      'devices 120: serial_number should be text and is a list: treated as unknown; the record may be the device',
    );
    const found = setUp({ '/devices': { data: [unreadable, DEVICE] } }, { device: { serial_number: 'C02' } });
    expect(await found.facts.fetch('device')).toMatchObject({ id: 121 });
  });

  test('an incomplete list is enough when an enrolled record is in it', async () => {
    const stuck = (status: string) => ({ data: [record(3, status, null)], has_more: true });
    const enrolled = setUp({ '/devices': stuck('enrolled') }, { device: { serial_number: 'C02' } });
    expect(await enrolled.facts.fetch('device')).toMatchObject({ id: 3 });
    expect(enrolled.records[0]?.record.warnings?.join()).toContain('the list is incomplete');
    const other = setUp({ '/devices': stuck('unenrolled') }, { device: { serial_number: 'C02' } });
    await expect(other.facts.fetch('device')).rejects.toMatchObject({ code: 'api/incomplete-list' });
  });

  test('an app that cannot be read is null in the list, and the fact has a warning', async () => {
    const apps = {
      data: [{ attributes: { identifier: 'x' } }, { id: 2, attributes: { identifier: ['y'] } }],
    };
    const { facts, records } = setUp({ '/devices/121/installed_apps': apps });
    expect(await facts.fetch('apps')).toEqual([{ id: 2, identifier: null }, null]);
    expect(records[0]?.record.warnings).toEqual([
      expect.stringContaining('installed_apps: a record without a usable id was left out'),
      'installed_apps 2: identifier should be text and is a list: treated as unknown',
    ]);
  });

  test.each<[string, object, unknown]>([
    ['not known', {}, { id: null, dep_server_id: null, dep_server_name: null, serial_number: null }],
    ['that a personal device does not report', { user_enrollment: true }, null],
  ])('dep_device of a device with a serial number %s', async (_what, attributes, expected) => {
    const { facts } = setUp({ '/devices/121': { data: { id: 121, attributes } } });
    expect(await facts.fetch('dep_device')).toEqual(expected);
  });

  test('a trace keeps twenty warnings', async () => {
    const data = Array.from({ length: 30 }, (_, index) => ({
      id: index + 1,
      attributes: { managed: 'maybe' },
    }));
    const { facts, records } = setUp({ '/devices/121/installed_apps': { data } });
    await facts.fetch('apps');
    expect(records[0]?.record.warnings).toHaveLength(21);
    expect(records[0]?.record.warnings?.at(-1)).toBe('10 more warnings');
  });

  test('a group whose record is missing or cannot be read is a group without a name', async () => {
    for (const data of [[], [{ id: 7, attributes: 'none' }], [{ attributes: { name: 'Laptops' } }]]) {
      const { facts } = setUp({ ...FOUND, '/device_groups': { data } });
      expect(await facts.fetch('group')).toEqual({ id: 7, name: null });
    }
  });

  test('facts of an earlier attempt are fetched again only if they failed', async () => {
    const known = new Map([
      ['device', trace('found', { id: 121, group_id: null, kept: true })],
      ['apps', trace('missing', null)],
      ['attributes', trace('failed', null)],
    ]);
    const { facts, records, requests } = setUp(
      {
        '/devices/121/custom_attribute_values': {
          data: [{ type: 'x', id: 'room', attributes: { value: 'A1' } }],
        },
      },
      { device: { id: 121 } },
      known,
    );
    expect(await facts.fetch('device')).toEqual({ id: 121, group_id: null, kept: true });
    expect(await facts.fetch('apps')).toBeNull();
    expect(await facts.fetch('attributes')).toEqual({ room: 'A1' });
    expect(requests).toEqual(['/devices/121/custom_attribute_values']);
    expect(records.map(({ name }) => name)).toEqual(['attributes']);
  });

  test('an unknown fact name throws', async () => {
    await expect(setUp({}).facts.fetch('unheard_of')).rejects.toThrow('there is no fact "unheard_of"');
  });
});

test.each<[unknown, boolean]>([
  [new Error('x'), false],
  ['x', false],
  [undefined, false],
])('isRetryable(%p) is %s', (error, expected) => {
  expect(isRetryable(error)).toBe(expected);
});

describe('a lookup', () => {
  const data: LookupData = {
    columns: { owner: 'string', phone: 'string' },
    rows: new Map([['c02', { key: 'C02', values: { owner: 'Ada', phone: '1' } }]]),
    caseSensitive: false,
    version: 'v1',
  };

  function begin(lookups: Lookups, known: ReadonlyMap<string, FactTrace> = new Map()) {
    const { api, lists } = cannedApi({});
    const records: FactTrace[] = [];
    const facts = createFactFetcher({
      event: EVENT,
      api,
      lists,
      lookups,
      known,
      onFact: (name, record) => {
        expect(name).toBe('lookup.staff');
        records.push(record);
        return Promise.resolve();
      },
    });
    return { facts, records };
  }

  const rowsOf = (warnings: readonly string[] = []): Lookups => ({
    rowsOf: (name) => Promise.resolve(name === 'staff' ? { data, warnings } : undefined),
  });

  test('the trace has the keys and columns that were read, also those of an earlier attempt', async () => {
    const earlier = trace('found', { rows: 9, version: 'v0', used: { X: null } });
    const { facts, records } = begin(rowsOf(['the rows are old']), new Map([['lookup.staff', earlier]]));
    const table = await facts.fetch('lookup.staff');
    if (!(table instanceof LookupTable)) throw new Error('no table');
    expect(table.get('c02').get('owner')).toBe('Ada');
    expect(table.has('Y')).toBe(false);
    await facts.reportUsedRows();
    await facts.reportUsedRows();
    expect(records.map(({ value }) => value)).toEqual([
      { rows: 1, version: 'v1', used: { X: null } },
      { rows: 1, version: 'v1', used: { X: null, c02: { owner: 'Ada' }, Y: null } },
    ]);
    expect(records[0]).toMatchObject({ status: 'found', warnings: ['the rows are old'] });
  });

  test('at most 50 keys are recorded', async () => {
    const { facts, records } = begin(rowsOf());
    const table = await facts.fetch('lookup.staff');
    if (!(table instanceof LookupTable)) throw new Error('no table');
    for (let key = 0; key < 1000; key += 1) table.has(key);
    await facts.reportUsedRows();
    expect(Object.keys(Object(records.at(-1)?.value).used)).toHaveLength(50);
  });

  test('an unavailable lookup can be retried; one that no file defines cannot', async () => {
    const down = begin({ rowsOf: () => Promise.reject(new LookupUnavailableError('lookup.staff: down', 0)) });
    const failure: unknown = await down.facts.fetch('lookup.staff').catch((error: unknown) => error);
    expect(isRetryable(failure)).toBe(true);
    expect(down.records).toMatchObject([
      { status: 'failed', code: 'lookup/unavailable', error: 'lookup.staff: down' },
    ]);
    const none = begin({ rowsOf: () => Promise.resolve(undefined) });
    const missing: unknown = await none.facts.fetch('lookup.staff').catch((error: unknown) => error);
    expect(missing).toMatchObject({ message: 'no rule file defines the lookup "staff"' });
    expect(isRetryable(missing)).toBe(false);
  });
});

test('a serial number that is empty finds nothing: not the log of the whole account, nor another empty one', async () => {
  const { facts, requests } = setUp({
    '/devices/121': { data: { ...DEVICE, attributes: { ...DEVICE.attributes, serial_number: ' ' } } },
  });
  expect(await facts.fetch('logs')).toBeNull();
  expect(await facts.fetch('dep_device')).toMatchObject({ id: null });
  expect(requests).toEqual(['/devices/121']);
});

test('a field that has changed its type in each of many records costs no more than reading them', async () => {
  const apps = Array.from({ length: 100 }, (_, page) => ({
    data: Array.from({ length: 100 }, (_item, index) => ({
      type: 'installed_app',
      id: page * 100 + index + 1,
      attributes: { name: {}, version: {}, managed: {} },
    })),
    has_more: page < 99,
  }));
  let next = 0;
  const { facts, records } = setUp({
    get '/devices/121/installed_apps'() {
      return apps[next++];
    },
  });
  expect(await facts.fetch('apps')).toHaveLength(10_000);
  expect(records[0]?.record.warnings).toHaveLength(21);
  expect(records[0]?.record.warnings?.at(-1)).toBe('29980 more warnings');
});

test.each([[undefined], ['Unknown'], [null]])(
  'a device whose model_name is %s has no model yet',
  async (model) => {
    const { facts } = setUp({
      '/devices/121': { data: { type: 'device', id: 121, attributes: { model_name: model } } },
    });
    const value = await facts.fetch('device');
    // Undefined is no value of CEL: each condition on the device would be an error.
    expect(value).toEqual(expect.objectContaining({ model_name: null, platform: null }));
  },
);

test('a cached list with a record that cannot be read is as incomplete for the second event as for the first', async () => {
  const server = (id: unknown) => ({ type: 'dep_server', id, attributes: { server_name: 'ABM' } });
  const { api, lists, requests } = cannedApi({
    '/dep_servers': { data: [server(1), server('none')], has_more: false },
    '/dep_servers/1/dep_devices': { data: [], has_more: false },
  });
  const event = {
    id: 'e',
    account: 'default',
    type: 'device.enrolled',
    at: '2024-01-01T00:00:00Z',
    receivedAt: '2024-01-01T00:00:00Z',
    source: 'webhook' as const,
    data: { device: { id: 121, serial_number: 'C02' } },
  };
  for (const attempt of [1, 2]) {
    const records: FactTrace[] = [];
    const facts = createFactFetcher({
      event,
      api,
      lists,
      known: new Map(),
      onFact: (_name, record) => {
        records.push(record);
        return Promise.resolve();
      },
    });
    await expect(facts.fetch('dep_device')).rejects.toThrow('the record may be the device');
    expect(`${attempt}: ${records[0]?.warnings?.length ?? 0}`).toBe(`${attempt}: 1`);
  }
  expect(requests.filter((path) => path === '/dep_servers')).toHaveLength(1);
});
