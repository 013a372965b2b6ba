import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, fingerprint } from '../../../src/events/fingerprint.js';
import { jsonObject } from '../../../src/events/envelope.js';

const WEBHOOK = {
  type: 'device.enrolled',
  at: '2000-01-01T12:00:00.000-07:00',
  data: { device: { id: 1, serial_number: 'C02' } },
};

/** The same JSON with the members of every object in the opposite order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reordered(member)]),
  );
}

const json = fc.jsonValue({ maxDepth: 4 });
const data = fc.dictionary(fc.string(), json).filter((record) => !Object.hasOwn(record, '__proto__'));

describe('canonicalJson', () => {
  test.each<[unknown, string]>([
    [null, 'null'],
    [{ b: [1, true, 'x'], a: null }, '{"a":null,"b":[1,true,"x"]}'],
    [{ a: { d: 1, c: 2 }, A: 3 }, '{"A":3,"a":{"c":2,"d":1}}'],
    [{ 10: 'ten', 9: 'nine' }, '{"10":"ten","9":"nine"}'],
    // RFC 8785: by UTF-16 code units, so that a surrogate pair precedes U+FB33.
    [{ '\ufb33': 1, '😀': 2, '€': 3, '\r': 4, 1: 5 }, '{"\\r":4,"1":5,"€":3,"😀":2,"\ufb33":1}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [[1e21, 1e-7, -0, 0.1], '[1e+21,1e-7,0,0.1]'],
    ['é\n"\u2028', '"é\\n\\"\u2028"'],
  ])('%j', (value, expected) => {
    expect(canonicalJson(value)).toBe(expected);
  });

  test('keeps the value, and does not depend on the order of keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reordered(value))).toBe(text);
        expect(canonicalJson(JSON.parse(JSON.stringify(value, null, 2)))).toBe(text);
      }),
    );
  });
});

describe('fingerprint', () => {
  test('never changes: a different value would accept old events again', () => {
    // printf 'default\n{"at":…,"data":{…},"type":"device.enrolled"}' | sha256sum
    expect(fingerprint('default', WEBHOOK)).toBe(
      '70c769a8c3962c3630e9108d946abf6b5432f7358917a99577c575f92b55e700',
    );
  });

  test('the order of keys does not matter', () => {
    fc.assert(
      fc.property(data, (record) => {
        const other = jsonObject.parse(reordered(record));
        expect(fingerprint('a', { ...WEBHOOK, data: other })).toBe(
          fingerprint('a', { ...WEBHOOK, data: record }),
        );
      }),
    );
  });

  test('different data gives a different fingerprint', () => {
    fc.assert(
      fc.property(data, data, (one, other) => {
        fc.pre(canonicalJson(one) !== canonicalJson(other));
        expect(fingerprint('a', { ...WEBHOOK, data: one })).not.toBe(
          fingerprint('a', { ...WEBHOOK, data: other }),
        );
      }),
    );
  });

  test('a change of one nested value gives a different fingerprint', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        fc.pre(canonicalJson(before) !== canonicalJson(after));
        const withValue = (value: unknown) => ({ ...WEBHOOK, data: { device: { list: [1, { value }] } } });
        expect(fingerprint('a', withValue(before))).not.toBe(fingerprint('a', withValue(after)));
      }),
    );
  });

  test('depends on account, type, time and data only', () => {
    const all = [
      fingerprint('default', WEBHOOK),
      fingerprint('acme', WEBHOOK),
      fingerprint('default', { ...WEBHOOK, type: 'device.unenrolled' }),
      fingerprint('default', { ...WEBHOOK, at: '2000-01-01T12:00:00.001-07:00' }),
      // The same moment in another notation.
      fingerprint('default', { ...WEBHOOK, at: '2000-01-01T19:00:00.000Z' }),
      fingerprint('default', { ...WEBHOOK, data: {} }),
    ];
    expect(new Set(all).size).toBe(all.length);
    const more = { ...WEBHOOK, receivedAt: 'now', source: 'webhook' };
    expect(fingerprint('default', more)).toBe(fingerprint('default', WEBHOOK));
  });
});
