import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../../src/events/parse-json.js';

const kinds = (text: string): string[] => parseJson(text).oddities.map(({ kind }) => kind);

describe('parseJson', () => {
  test('gives what JSON.parse gives, without oddities', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { value, oddities } = parseJson(text);
        // fast-check writes the numbers of JavaScript, which survive.
        expect({ value, oddities }).toEqual({ value: JSON.parse(text), oddities: [] });
      }),
    );
  });

  test.each([
    ['12345678901234567890', '12345678901234567890'],
    ['-9007199254740993', '-9007199254740993'],
    ['1e400', '1e400'],
    ['-1E+999', '-1E+999'],
    [`1${'0'.repeat(400)}`, `1${'0'.repeat(400)}`],
  ])('a number that JavaScript would change becomes the text that was sent: %s', (number, text) => {
    expect(parseJson(`{"a":[${number}],"b":1}`).value).toEqual({ a: [text], b: 1 });
    expect(parseJson(number).value).toBe(text);
    expect(kinds(`[${number},${number}]`)).toEqual(['number']);
  });

  test.each(['9007199254740991', '-9007199254740991', '9007199254740992', '0.1', '1e300', '-0', '1.5E-3'])(
    'the number %s stays a number',
    (number) => {
      expect(parseJson(`[${number}]`)).toEqual({ value: [Number(number)], oddities: [] });
    },
  );

  test('what looks like a number or a bracket in a text stays as it is', () => {
    const value = { 'a]"{': '12345678901234567890 \\" { [', '1e400': [] };
    expect(parseJson(JSON.stringify(value))).toEqual({ value, oddities: [] });
  });

  test('repeated names: the last value counts, flagged once; equal names in different objects are fine', () => {
    const { value, oddities } = parseJson('{"a":1,"\\u0061":2,"b":{"a":3},"c":[{"a":1},{"a":2}],"a":4}');
    expect(value).toEqual({ a: 4, b: { a: 3 }, c: [{ a: 1 }, { a: 2 }] });
    expect(oddities).toEqual([
      {
        kind: 'duplicate_key',
        text: 'the name "a" occurs more than once in one object: the last value counts',
      },
    ]);
  });

  test('values below 64 levels become their JSON as text, whatever the depth', () => {
    for (const levels of [64, 65, 1e5]) {
      const text = `{"before":1,"deep":${'['.repeat(levels)}${']'.repeat(levels)},"after":2}`;
      const { value, oddities } = parseJson(text);
      expect(oddities.map(({ kind }) => kind)).toEqual(['nesting']);
      let inner: unknown = new Map(Object.entries(Object(value))).get('deep');
      let depth = 1;
      while (Array.isArray(inner)) [inner, depth] = [inner[0], depth + 1];
      expect(depth).toBe(63);
      expect(inner).toBe('['.repeat(levels - 62) + ']'.repeat(levels - 62));
      expect(value).toMatchObject({ before: 1, after: 2 });
    }
    expect(kinds(`${'['.repeat(63)}1${']'.repeat(63)}`)).toEqual([]);
  });

  test.each(['', '{', '{"a":1', '[1,]', 'NaN', "{'a':1}", '{} {}'])('%j is not JSON', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
