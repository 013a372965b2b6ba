import { describe, expect, test } from '@jest/globals';
import { createFactFetcher, isRetryable } from '../../../src/enrichment/fetch-facts.js';
import type { FactFetcher } from '../../../src/enrichment/fetch-facts.js';
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
