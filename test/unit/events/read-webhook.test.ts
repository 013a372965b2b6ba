import { describe, expect, test } from '@jest/globals';
import { warningsOf } from '../../../src/events/oddity.js';
import { readWebhook } from '../../../src/events/read-webhook.js';
import {
  deviceKeyOf,
  deviceReferenceOf,
  KNOWN_TYPES,
  uncertainDeviceOf,
} from '../../../src/events/webhook-types.js';

const AT = '2000-01-01T12:00:00.000-07:00';
const RECEIVED = new Date('2026-11-01T10:00:00.000Z');

function read(body: unknown) {
  const result = readWebhook(body, RECEIVED);
  if ('problem' in result) throw new Error(result.problem);
  return result;
}

/** The kinds of oddities, in order. */
const oddities = (body: unknown): string[] => read(body).oddities.map(({ kind }) => kind);
const warnings = (body: unknown): string[] => warningsOf(read(body).oddities);

describe('the documented form', () => {
  const documented: [string, Record<string, unknown>][] = [
    ['device.enrolled', { device: { id: 1, udid: 'U', serial_number: 'C02' } }],
    ['device.unenrolled', { device: { id: 1, udid: null, serial_number: null } }],
    ['device.changed_group', { device: { id: 1, new: [] }, more: 1 }],
    ['device.lock.enabled', { device: { id: 1 } }],
    ['abm.device.added', { device: { serial_number: 'C02', model: 'iPad' } }],
    ['test_event', {}],
    ['profile.installed', { anything: [{ id: 'x' }] }],
  ];

  test.each(documented)('%s is kept as it is, without a warning', (type, data) => {
    const body = { type, at: AT, data };
    const { webhook, oddities: found, original, hasTime, identity } = read(body);
    expect(webhook).toEqual(body);
    expect(webhook.data).toBe(data);
    expect({ found, original, hasTime }).toEqual({ found: [], original: {}, hasTime: true });
    expect(identity).toEqual({ type, at: AT, data });
  });

  test('the known types are the documented ones', () => {
    const types = new Set(documented.map(([type]) => type));
    types.delete('profile.installed');
    expect(new Set(KNOWN_TYPES)).toEqual(types);
  });

  test.each([undefined, null])('no data (%s), as the test button of SimpleMDM sends', (data) => {
    expect(read({ type: 'test_event', at: AT, data }).webhook.data).toEqual({});
    expect(oddities({ type: 'test_event', at: AT, data })).toEqual([]);
  });

  // Every object inherits members with these names.
  test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    'the type "%s" is an unknown type like others',
    (type) => expect(read({ type, at: AT }).webhook.type).toBe(type),
  );
});

describe('what is no webhook', () => {
  test.each<[unknown, string]>([
    [null, 'the body is null; expected an object'],
    [[{ type: 'a' }], 'the body is a list; expected an object'],
    ['device.enrolled', 'the body is a text; expected an object'],
    [17, 'the body is a number; expected an object'],
    [{}, 'type: expected an event type such as "device.enrolled", found missing'],
    [{ type: '' }, 'type: expected an event type such as "device.enrolled", found ""'],
    [{ type: ' \n' }, 'type: expected an event type such as "device.enrolled", found " \\n"'],
    [{ type: 7 }, 'type: expected an event type such as "device.enrolled", found 7'],
    [{ type: null, data: {} }, 'type: expected an event type such as "device.enrolled", found null'],
  ])('%j', (body, problem) => {
    expect(readWebhook(body, RECEIVED)).toEqual({ problem });
  });
});

describe('type', () => {
  test.each([
    ['Device.Enrolled', 'device.enrolled'],
    [' device.enrolled\n', 'device.enrolled'],
    ['DEVICE_ENROLLED', 'device.enrolled'],
    ['device enrolled', 'device.enrolled'],
    ['device/changed-group', 'device.changed_group'],
    ['Test Event', 'test_event'],
    ['device..enrolled', 'device.enrolled'],
    ['a b', 'a b'],
    [' ä/b ', 'ä/b'],
    ['a\u001b[31m\nb', 'a [31m b'],
    ['x'.repeat(5000), 'x'.repeat(128)],
    ['device.enrolled\0', 'device.enrolled'],
    // It has a type, so it is kept.
    ['\0\u200b', 'unreadable'],
    ['\u202edevice.enrolled\u200b', 'device.enrolled'],
    ['a\u2028\u202eb', 'a b'],
    ['a\ud800', 'a\ufffd'],
  ])('%j is read as %j, flagged and kept as sent', (given, type) => {
    const { webhook, original } = read({ type: given, at: AT, data: { device: { id: 1 } } });
    expect(webhook.type).toBe(type);
    expect(original).toEqual({ type: given });
    expect(oddities({ type: given, at: AT, data: { device: { id: 1 } } })).toEqual(['type']);
  });

  test('two long types that differ at the end are two events; two spellings of a known type are one', () => {
    const identity = (type: string) => read({ type, at: AT }).identity.type;
    expect(identity(`${'x'.repeat(200)}a`)).not.toBe(identity(`${'x'.repeat(200)}b`));
    expect(identity('Test_Event')).toBe(identity('test_event'));
  });
});

describe('at', () => {
  test.each([
    '2000-01-01T12:00:00Z',
    '2000-01-01T12:00:00.000Z',
    '2000-01-01T12:00:00.123456789+05:30',
    '2000-01-01T12:00:00-07:00',
    '2024-02-29T23:59:59Z',
  ])('%s is kept unchanged', (at) => {
    expect(read({ type: 'a', at })).toMatchObject({
      webhook: { at },
      hasTime: true,
      oddities: [],
      original: {},
    });
  });

  test.each<[unknown, string]>([
    ['2000-01-01T12:00:00', '2000-01-01T12:00:00Z'],
    ['2000-01-01', '2000-01-01T00:00:00Z'],
    ['2000-01-01 12:00:00Z', '2000-01-01T12:00:00Z'],
    ['2000-01-01 12:00:00 UTC', '2000-01-01T12:00:00Z'],
    ['2000-01-01 12:00:00.5 -0700', '2000-01-01T12:00:00.5-07:00'],
    ['2000-01-01T12:00:00+0700', '2000-01-01T12:00:00+07:00'],
    [' 2000-01-01T12:00Z ', '2000-01-01T12:00:00Z'],
    ['Sat, 01 Jan 2000 12:00:00 GMT', '2000-01-01T12:00:00.000Z'],
    [946_728_000, '2000-01-01T12:00:00.000Z'],
    [946_728_000_000, '2000-01-01T12:00:00.000Z'],
    [1_730_000_000.25, '2024-10-27T03:33:20.250Z'],
    ['946728000', '2000-01-01T12:00:00.000Z'],
  ])('%j is read as %s and flagged', (at, expected) => {
    const body = { type: 'a', at };
    expect(read(body)).toMatchObject({ webhook: { at: expected }, hasTime: true, original: { at } });
    expect(warnings(body)).toEqual([`at is ${JSON.stringify(at)}, read as ${expected}`]);
    expect(Date.parse(expected)).not.toBeNaN();
  });

  test.each<[unknown]>([
    ['2000-02-30T12:00:00Z'],
    ['2023-02-29T12:00:00Z'],
    ['2000-13-01T12:00:00Z'],
    ['2000-01-01T25:00:00Z'],
    ['2000-01-01T12:00:00+25:00'],
    ['01/02/2000 12:00'],
    ['yesterday'],
    [''],
    [2000],
    [-1],
    [1e300],
    [null],
    [undefined],
    [{}],
    [['2000-01-01T12:00:00Z']],
  ])('%j is no time: the time of receipt is used and the warning says so', (at) => {
    const body = { type: 'a', ...(at !== undefined && { at }) };
    const { webhook, hasTime } = read(body);
    expect({ at: webhook.at, hasTime }).toEqual({ at: RECEIVED.toISOString(), hasTime: false });
    expect(warnings(body)).toEqual([
      `at is ${at === undefined ? 'missing' : `${JSON.stringify(at)}, not a time`}: the time of receipt is used`,
    ]);
  });
});

describe('data and its device', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['an id as a text', { data: { device: { id: '123' } } }, { id: 123 }, ['device_id']],
    ['an id as a text with zeros', { data: { device: { id: ' 007 ' } } }, { id: 7 }, ['device_id']],
    [
      'an id of letters',
      { data: { device: { id: 'abc', serial_number: 'C02' } } },
      { id: 'abc', serial_number: 'C02' },
      ['device_id'],
    ],
    ['a negative id', { data: { device: { id: -5, udid: 'U' } } }, { id: -5, udid: 'U' }, ['device_id']],
    [
      'an id beyond 2^53',
      { data: { device: { id: '12345678901234567890' } } },
      { id: '12345678901234567890' },
      ['device_id'],
    ],
    [
      'a null id',
      { data: { device: { id: null, serial_number: 'C02' } } },
      { id: null, serial_number: 'C02' },
      ['device_id'],
    ],
    ['no id', { data: { device: { serial_number: 'C02' } } }, { serial_number: 'C02' }, ['device_id']],
    [
      'a serial number that is a number',
      { data: { device: { id: 1, serial_number: 12345 } } },
      { id: 1, serial_number: '12345' },
      ['serial_number'],
    ],
    [
      'an empty serial number',
      { data: { device: { id: 1, serial_number: '' } } },
      { id: 1, serial_number: '' },
      ['serial_number'],
    ],
    [
      'a serial number in a list',
      { data: { device: { id: 1, serial_number: ['C'] } } },
      { id: 1, serial_number: ['C'] },
      ['serial_number'],
    ],
    ['a UDID that is a number', { data: { device: { id: 1, udid: 7 } } }, { id: 1, udid: 7 }, ['udid']],
    ['the device beside data', { device: { id: 1 } }, { id: 1 }, ['device']],
    ['the device in a list', { data: { device: [{ id: 1 }] } }, { id: 1 }, ['device']],
    ['only the id', { data: { device: 5 } }, { id: 5 }, ['device']],
    ['only the id, as a text', { data: { device: '5' } }, { id: 5 }, ['device', 'device_id']],
    [
      'data that is the device',
      { data: { id: 5, serial_number: 'C02' } },
      { id: 5, serial_number: 'C02' },
      ['device'],
    ],
    ['data in a list', { data: [{ device: { id: 1 } }] }, { id: 1 }, ['data']],
    ['data as JSON in a text', { data: '{"device":{"id":1}}' }, { id: 1 }, ['data']],
  ])('%s', (_name, more, device, kinds) => {
    const body = { type: 'device.enrolled', at: AT, ...more };
    expect(read(body).webhook.data['device']).toEqual(device);
    expect(oddities(body)).toEqual(kinds);
  });

  test.each<[string, unknown, string[]]>([
    ['a list', [1, 2], ['data', 'device']],
    ['a text', 'hello', ['data', 'device']],
    ['a number', 5, ['data', 'device']],
    ['missing', undefined, ['device']],
    ['empty', {}, ['device']],
    ['several devices', { device: [{ id: 1 }, { id: 2 }] }, ['device']],
    ['a device that is a text', { device: 'C02' }, ['device']],
  ])('data that names no device: %s', (_name, data, kinds) => {
    const body = { type: 'device.enrolled', at: AT, data };
    expect(oddities(body)).toEqual(kinds);
    const { webhook, original } = read(body);
    expect(uncertainDeviceOf({ ...webhook, source: 'webhook' })).toBe('the webhook named no device');
    // Nothing is lost.
    if (kinds.includes('data')) expect(original).toEqual({ data });
  });

  test('hardware without a serial number is flagged', () => {
    expect(oddities({ type: 'abm.device.added', at: AT, data: { device: { serial_number: null } } })).toEqual(
      ['serial_number'],
    );
  });

  test('two webhooks whose data cannot be read are two events', () => {
    const identity = (data: unknown) => JSON.stringify(read({ type: 'a', at: AT, data }).identity);
    expect(identity([1, 2])).not.toBe(identity([3, 4]));
    expect(identity('x')).not.toBe(identity('y'));
  });

  test('an id as a text and as a number is the same event', () => {
    const identity = (id: unknown) =>
      read({ type: 'device.enrolled', at: AT, data: { device: { id } } }).identity;
    expect(identity('12')).toEqual(identity(12));
  });

  test('unknown fields are kept and flagged', () => {
    const body = { type: 'a', at: AT, data: {}, sender: 'x', device: null };
    expect(read(body).original).toEqual({ sender: 'x', device: null });
    expect(warnings(body)).toEqual(['unknown fields beside type, at and data: "sender", "device"']);
  });

  test('a member "__proto__" survives a change of the device', () => {
    const data: unknown = JSON.parse('{"device":{"id":"1","__proto__":{"a":1}},"__proto__":{"b":2}}');
    const changed = read({ type: 'device.enrolled', at: AT, data }).webhook.data;
    expect(JSON.stringify(changed)).toBe('{"__proto__":{"b":2},"device":{"id":1,"__proto__":{"a":1}}}');
  });
});

test('warnings are bounded in number and length', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    kind: 'data' as const,
    text: `${index} ${'x'.repeat(900)}`,
  }));
  const found = warningsOf(many);
  expect(found).toHaveLength(10);
  expect(found.at(-1)).toBe('and 31 more');
  expect(Math.max(...found.map(({ length }) => length))).toBe(300);
});

describe('deviceReferenceOf', () => {
  test.each<
    [
      Record<string, unknown>,
      { id?: number; serialNumber?: string; udid?: string } | undefined,
      string | undefined,
    ]
  >([
    [{ device: { id: 1, serial_number: 'C02' } }, { id: 1, serialNumber: 'C02' }, '1'],
    [{ device: { id: 1 } }, { id: 1 }, '1'],
    [{ device: { serial_number: ' C02 ' } }, { serialNumber: 'C02' }, 'C02'],
    [{ device: { udid: 'U-1' } }, { udid: 'U-1' }, 'U-1'],
    [{ device: { id: 1, serial_number: null } }, { id: 1 }, '1'],
    [{ device: { id: 1, serial_number: '' } }, { id: 1 }, '1'],
    [{ device: { id: 'one', serial_number: 'C02' } }, { serialNumber: 'C02' }, 'C02'],
    [{ device: { id: 0, serial_number: 'C02' } }, { serialNumber: 'C02' }, 'C02'],
    [{ device: { id: '1' } }, { id: 1 }, '1'],
    [{ device: { serial_number: 'x'.repeat(65) } }, undefined, undefined],
    [{ device: {} }, undefined, undefined],
    [{ device: null }, undefined, undefined],
    [{ device: 'C02' }, undefined, undefined],
    [{ device: [] }, undefined, undefined],
    [{}, undefined, undefined],
  ])('%j', (data, expected, key) => {
    expect(deviceReferenceOf({ data })).toEqual(expected);
    expect(deviceKeyOf({ data })).toBe(key);
  });
});

describe('uncertainDeviceOf', () => {
  const NONE = 'the webhook named no device';
  const BY_SERIAL = `${NONE} id, and SimpleMDM has no device with the serial number C02`;
  const BY_UDID = `${NONE} id, and SimpleMDM has no device with the UDID U`;
  test.each<[string, Record<string, unknown>, string | undefined]>([
    ['device.enrolled', { device: { id: 1 } }, undefined],
    ['device.enrolled', {}, NONE],
    ['device.unenrolled', { device: { serial_number: 'C02', udid: 'U' } }, BY_SERIAL],
    ['device.unenrolled', { device: { udid: 'U' } }, BY_UDID],
    ['abm.device.added', { device: { serial_number: 'C02' } }, undefined],
    ['abm.device.added', { device: {} }, NONE],
    ['profile.installed', { device: {} }, NONE],
    ['profile.installed', { device: { serial_number: 'C02' } }, undefined],
    ['profile.installed', {}, undefined],
    ['test_event', {}, undefined],
  ])('%s %j', (type, data, expected) => {
    expect(uncertainDeviceOf({ type, data, source: 'webhook' })).toBe(expected);
    expect(uncertainDeviceOf({ type, data, source: 'replay', originalSource: 'webhook' })).toBe(expected);
    expect(uncertainDeviceOf({ type, data, source: 'rule' })).toBeUndefined();
  });
});
