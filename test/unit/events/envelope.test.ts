import { describe, expect, test } from '@jest/globals';
import { webhookEnvelope } from '../../../src/events/envelope.js';
import { deviceReferenceOf, KNOWN_TYPES, problemInData } from '../../../src/events/webhook-types.js';

const AT = '2000-01-01T12:00:00.000-07:00';

/** `path: message` of everything that is wrong. */
function problems(body: unknown): string[] {
  return (webhookEnvelope.safeParse(body).error?.issues ?? []).map(
    (issue) => `${issue.path.join('.')}: ${issue.message}`,
  );
}

describe('the envelope', () => {
  const TYPE = 'type: expected a dotted event type such as "device.enrolled"';
  const TIME = 'at: expected an ISO 8601 time with offset such as "2000-01-01T12:00:00.000-07:00"';

  test.each(['a', 'device.enrolled', 'abm.device.added', 'test_event', 'a-b.C_d.9', 'x'.repeat(128)])(
    'the type %s is valid',
    (type) => {
      expect(webhookEnvelope.parse({ type, at: AT, data: {} }).type).toBe(type);
    },
  );

  test.each<[unknown]>([
    [''],
    ['a..b'],
    ['.a'],
    ['a.'],
    ['a b'],
    ['a/b'],
    ['a\n'],
    ['ä'],
    [5],
    [null],
    [undefined],
  ])('the type %j is invalid', (type) => {
    expect(problems({ type, at: AT })).toEqual([TYPE]);
  });

  test('a type of 129 characters is invalid', () => {
    expect(problems({ type: 'x'.repeat(129), at: AT })).toEqual(['type: expected at most 128 characters']);
  });

  test.each([
    '2000-01-01T12:00:00Z',
    '2000-01-01T12:00:00.000Z',
    '2000-01-01T12:00:00.123456789+05:30',
    '2000-01-01T12:00:00-07:00',
    '2024-02-29T23:59:59Z',
  ])('the time %s is valid and kept unchanged', (at) => {
    expect(webhookEnvelope.parse({ type: 'a', at }).at).toBe(at);
  });

  test.each<[unknown]>([
    ['2000-01-01T12:00:00'],
    ['2000-01-01'],
    ['2000-01-01 12:00:00Z'],
    ['2000-02-30T12:00:00Z'],
    ['2023-02-29T12:00:00Z'],
    ['2000-13-01T12:00:00Z'],
    ['2000-01-01T25:00:00Z'],
    ['2000-01-01T12:00:00+0700'],
    ['2000-01-01T12:00:00+25:00'],
    ['Sat, 01 Jan 2000 12:00:00 GMT'],
    [''],
    [946_728_000],
    [null],
    [undefined],
  ])('the time %j is invalid', (at) => {
    expect(problems({ type: 'a', at })).toEqual([TIME]);
  });

  test('data is optional, nullable, and an object', () => {
    expect(webhookEnvelope.parse({ type: 'a', at: AT })).toEqual({ type: 'a', at: AT, data: {} });
    expect(webhookEnvelope.parse({ type: 'a', at: AT, data: null })).toEqual({ type: 'a', at: AT, data: {} });
    for (const data of [[], 'x', 5]) {
      expect(problems({ type: 'a', at: AT, data })).toEqual(['data: expected an object']);
    }
  });

  test('all problems are reported', () => {
    expect(problems({ type: '', at: '', data: [] })).toEqual([TYPE, TIME, 'data: expected an object']);
    expect(problems({})).toEqual([TYPE, TIME]);
    for (const body of [null, [], 'x', 5]) expect(problems(body)).toHaveLength(1);
  });

  test('unknown fields are dropped, except in data', () => {
    const data = { device: { id: 1, more: { deep: [null] } }, extra: true };
    expect(webhookEnvelope.parse({ type: 'a', at: AT, data, sender: 'x' })).toEqual({
      type: 'a',
      at: AT,
      data,
    });
  });
});

describe('the data of known types', () => {
  const ID = 'data.device.id: expected the SimpleMDM device id, a whole number';
  const enrolled = ['device.enrolled', 'device.unenrolled', 'device.changed_group', 'device.lock.enabled'];

  test('the known types are the documented ones', () => {
    expect([...KNOWN_TYPES].sort()).toEqual(['abm.device.added', 'test_event', ...enrolled].sort());
  });

  test.each(enrolled)('%s is about a device with an id', (type) => {
    const problem = (data: Record<string, unknown>) => problemInData({ type, at: AT, data });
    expect(problem({ device: { id: 1 } })).toBeUndefined();
    expect(problem({ device: { id: 1, udid: null, serial_number: null, new: [] }, more: 1 })).toBeUndefined();
    for (const id of [undefined, null, '1', 1.5, 0, -1]) {
      expect(problem({ device: { id } })).toMatch(/^data\.device\.id: /);
    }
    expect(problem({ device: { id: 'x' } })).toBe(ID);
    expect(problem({ device: { id: 1, serial_number: 5 } })).toMatch(/^data\.device\.serial_number: /);
    expect(problem({ device: null })).toMatch(/^data\.device: /);
    expect(problem({})).toMatch(/^data\.device: /);
  });

  test('abm.device.added is about a serial number', () => {
    const problem = (data: Record<string, unknown>) =>
      problemInData({ type: 'abm.device.added', at: AT, data });
    expect(problem({ device: { serial_number: 'C02' } })).toBeUndefined();
    expect(problem({ device: {} })).toBe('data.device.serial_number: expected the serial number, a text');
    expect(problem({ device: { serial_number: '' } })).toMatch(/^data\.device\.serial_number: /);
  });

  test('the data of other types may hold anything', () => {
    for (const type of ['test_event', 'profile.installed', 'device']) {
      expect(problemInData({ type, at: AT, data: { device: 'x' } })).toBeUndefined();
    }
  });

  // Every object inherits members with these names.
  test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    'the type "%s" is an unknown type like others',
    (type) => {
      expect(webhookEnvelope.safeParse({ type, at: AT }).success).toBe(true);
      expect(problemInData({ type, at: AT, data: {} })).toBeUndefined();
    },
  );
});

describe('deviceReferenceOf', () => {
  test.each<
    [Record<string, unknown>, { id: number | undefined; serialNumber: string | undefined } | undefined]
  >([
    [{ device: { id: 1, serial_number: 'C02' } }, { id: 1, serialNumber: 'C02' }],
    [{ device: { id: 1 } }, { id: 1, serialNumber: undefined }],
    [{ device: { serial_number: 'C02' } }, { id: undefined, serialNumber: 'C02' }],
    [{ device: { id: 1, serial_number: null } }, { id: 1, serialNumber: undefined }],
    [{ device: { id: 1, serial_number: '' } }, { id: 1, serialNumber: undefined }],
    [{ device: { id: 'one', serial_number: 'C02' } }, { id: undefined, serialNumber: 'C02' }],
    [{ device: { id: 0, serial_number: 'C02' } }, { id: undefined, serialNumber: 'C02' }],
    [{ device: { id: '1' } }, undefined],
    [{ device: {} }, undefined],
    [{ device: null }, undefined],
    [{ device: 'C02' }, undefined],
    [{ device: [] }, undefined],
    [{}, undefined],
  ])('%j', (data, expected) => {
    expect(deviceReferenceOf({ data })).toEqual(expected);
  });
});
