import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesGlob } from '../../../src/rules/cel/glob.js';
import { OsVersion } from '../../../src/rules/cel/os-version.js';
import { condition, problemWithCondition } from './test-vocabulary.js';

const DAY = 86_400_000;

function result(text: string, device: Readonly<Record<string, unknown>>): string {
  return condition(text).evaluate({ event: {}, device }).result;
}

describe('version', () => {
  test.each<[string, string, string]>([
    ['15.0.1', '<', '15.1'],
    ['9.3.2', '<', '14.7'],
    ['15', '==', '15.0.0'],
    ['16.4.1', '<', '16.4.1 (a)'],
    ['16.4.1 (a)', '<', '16.4.1 (c)'],
    ['16.4.1 (c)', '<', '16.4.2'],
    ['14.10', '>', '14.9.9'],
    ['18.1', '>=', '18.1'],
    ['18.1', '!=', '18.1.1'],
  ])('%s %s %s', (a, operator, b) => {
    expect(result(`version(device.name) ${operator} version("${b}")`, { name: a })).toBe('true');
    const opposite = { '<': '>=', '>': '<=', '>=': '<', '==': '!=', '!=': '==' }[operator] ?? '';
    expect(result(`version(device.name) ${opposite} version("${b}")`, { name: a })).toBe('false');
  });

  test('is a total order', () => {
    const version = fc
      .tuple(fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), fc.constantFrom('', ' (a)', ' (b)'))
      .map(([numbers, response]) => numbers.join('.') + response);
    const order = (a: string, b: string) => {
      const [first, second] = [OsVersion.parse(a), OsVersion.parse(b)];
      if (first === undefined || second === undefined) throw new Error('both are versions');
      return Math.sign(first.compare(second));
    };
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(order(a, b) + order(b, a)).toBe(0);
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test.each(['', 'beta', '15.x', '15.1.', '1.2.3.4.5', null, undefined])(
    'the version %j of a device is unknown: no comparison is true',
    (name) => {
      expect(result('version(device.name) < version("15.1")', { name })).toBe('false');
      expect(result('version(device.name) >= version("15.1")', { name })).toBe('false');
    },
  );

  test('an invalid literal is a problem when the file loads', () => {
    expect(problemWithCondition('version(device.name) < version("15.x")')).toEqual({
      code: 'rule/invalid-literal',
      message: '"15.x" is not a version such as "15.1" or "16.4.1 (a)"',
      offset: 23,
    });
    expect(problemWithCondition('version(device.name) < "15"').message).toBe(
      'cannot compare a version with a text: write version(device.name) < version("15")',
    );
    expect(problemWithCondition('device.p && age(device.enrolled_at) > duration("2 weeks")').message).toBe(
      '"2 weeks" is not a duration: write hours, minutes and seconds, such as duration("336h")',
    );
  });
});

describe('age', () => {
  const ago = (ms: number) => ({ enrolled_at: new Date(Date.now() - ms) });

  test('returns how long ago a time was', () => {
    const old = 'age(device.enrolled_at) > duration("336h")';
    expect(result(old, ago(15 * DAY))).toBe('true');
    expect(result(old, ago(13 * DAY))).toBe('false');
    expect(result('age(device.enrolled_at) < duration("0s")', ago(-DAY))).toBe('true');
    expect(result(old, { enrolled_at: null })).toBe('false');
  });
});

describe('glob', () => {
  test.each<[string, string, boolean]>([
    ['Lab-07', 'lab-*', true],
    ['Lab-07', 'lab-?', false],
    ['Lab-07', 'lab-??', true],
    ['Lab-07', '*07', true],
    ['Lab-07', 'ab', false],
    ['', '*', true],
    ['', '?', false],
    ['a.b', 'a?b', true],
    ['axb', 'a.b', false],
    ['naïve café', '*CAFÉ', true],
  ])('%j matches %j: %s', (text, pattern, expected) => {
    expect(matchesGlob(text, pattern)).toBe(expected);
    expect(result(`glob(device.name, "${pattern}")`, { name: text })).toBe(String(expected));
  });

  test('agrees with an equivalent regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(letters, pattern, (text, glob) => {
        const source = glob.replace(/[.*?]/g, (sign) => ({ '.': '\\.', '*': '.*', '?': '.' })[sign] ?? sign);
        expect(matchesGlob(text, glob)).toBe(new RegExp(`^${source}$`).test(text));
      }),
    );
  });

  test('no pattern can hang', () => {
    expect(matchesGlob('a'.repeat(5000), `${'*a'.repeat(500)}b`)).toBe(false);
  });
});

describe('in_cidr', () => {
  test.each<[string, string, boolean]>([
    ['203.0.113.7', '203.0.113.0/24', true],
    ['203.0.114.7', '203.0.113.0/24', false],
    ['::ffff:203.0.113.7', '203.0.113.0/24', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db8::1', '203.0.113.0/24', false],
  ])('%s in %s: %s', (address, network, expected) => {
    expect(result(`in_cidr(device.name, "${network}")`, { name: address })).toBe(String(expected));
  });

  test.each(['', 'nowhere', '300.1.1.1', null])('%j is unknown: neither in nor out', (name) => {
    expect(result('in_cidr(device.name, "10.0.0.0/8")', { name })).toBe('false');
    expect(result('!in_cidr(device.name, "10.0.0.0/8")', { name })).toBe('false');
  });

  test('an invalid network is a problem when the file loads', () => {
    expect(problemWithCondition('in_cidr(device.name, "10.0.0.0/33")')).toEqual({
      code: 'rule/invalid-literal',
      message: '"10.0.0.0/33" is not a network such as "203.0.113.0/24"',
      offset: 21,
    });
  });
});

test('the problem of an unknown function suggests the nearest one', () => {
  expect(problemWithCondition('versoin(device.name) < version("15")').message).toBe(
    'unknown function "versoin"; did you mean "version"?',
  );
});

describe('matches', () => {
  test.each<[string, string, boolean]>([
    ['MacBook Pro', '^Mac(Book|mini)', true],
    ['MacBook Pro', 'pro', false],
    ['MacBook Pro', '(?i)pro$', true],
    ['C02XK1ZMJGH5', '^[A-Z0-9]{12}$', true],
  ])('%j matches %j: %s', (name, pattern, expected) => {
    const text = `device.p || device.name.matches("${pattern}")`;
    expect(result(text, { name, p: false })).toBe(String(expected));
  });

  test('no pattern can hang', () => {
    const name = `${'a'.repeat(50_000)}!`;
    expect(result('device.name.matches("^(a+)+$")', { name })).toBe('false');
    expect(result('device.name.matches("(.*a){20}$")', { name: 'a'.repeat(2000) + '!' })).toBe('false');
  });

  test('the reason shows the text that the author wrote', () => {
    const evaluated = condition('device.q && device.name.matches("^b")').evaluate({
      event: {},
      device: { q: true, name: 'abc' },
    });
    expect(evaluated).toEqual({
      result: 'false',
      reason: 'device.name.matches("^b") is not true: device.name is "abc"',
    });
  });

  test('an invalid pattern is a problem when the file loads', () => {
    const problem = problemWithCondition('device.p && device.name.matches("[a")');
    expect(problem.offset).toBe(32);
    expect(problem.message).toMatch(/^"\[a" is not a valid regular expression \(RE2\)/);
    expect(problemWithCondition('device.name.matches("(a)\\\\1")').message).toMatch(
      /not a valid regular expression/,
    );
  });

  test('a field with the name of a function stays a field', () => {
    expect(result('attributes.matches == "x" || device.name.matches("a")', { name: 'a' })).toBe('true');
  });
});
