import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesGlob } from '../../../src/rules/cel/glob.js';
import { OsVersion } from '../../../src/rules/cel/os-version.js';
import { condition, problemWithCondition } from './test-vocabulary.js';

const DAY = 86_400_000;

function outcome(text: string, device: Readonly<Record<string, unknown>>): string {
  return condition(text).evaluate({ event: {}, device }).outcome;
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
    expect(outcome(`version(device.name) ${operator} version("${b}")`, { name: a })).toBe('true');
    const opposite = { '<': '>=', '>': '<=', '>=': '<', '==': '!=', '!=': '==' }[operator] ?? '';
    expect(outcome(`version(device.name) ${opposite} version("${b}")`, { name: a })).toBe('false');
  });

  test('orders all versions, whichever way they are compared', () => {
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
    'a device that says %j fires no rule, either way',
    (name) => {
      expect(outcome('version(device.name) < version("15.1")', { name })).toBe('false');
      expect(outcome('version(device.name) >= version("15.1")', { name })).toBe('false');
    },
  );

  test('what a rule itself gets wrong is told when it loads', () => {
    expect(problemWithCondition('version(device.name) < version("15.x")')).toEqual({
      message: '"15.x" is no version such as "15.1" or "16.4.1 (a)"',
      offset: 23,
    });
    expect(problemWithCondition('version(device.name) < "15"').message).toBe(
      'a version and a text do not go together with "<": write version(device.name) < version("15")',
    );
    expect(problemWithCondition('device.p && age(device.enrolled_at) > duration("2 weeks")').message).toBe(
      '"2 weeks" is no duration: write hours, minutes and seconds, such as duration("336h")',
    );
  });
});

describe('age', () => {
  const ago = (ms: number) => ({ enrolled_at: new Date(Date.now() - ms) });

  test('how long ago a time is', () => {
    const old = 'age(device.enrolled_at) > duration("336h")';
    expect(outcome(old, ago(15 * DAY))).toBe('true');
    expect(outcome(old, ago(13 * DAY))).toBe('false');
    expect(outcome('age(device.enrolled_at) < duration("0s")', ago(-DAY))).toBe('true');
    expect(outcome(old, { enrolled_at: null })).toBe('false');
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
  ])('%j is like %j: %s', (text, pattern, expected) => {
    expect(matchesGlob(text, pattern)).toBe(expected);
    expect(outcome(`glob(device.name, "${pattern}")`, { name: text })).toBe(String(expected));
  });

  test('is what a regular expression of the same meaning says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(letters, pattern, (text, glob) => {
        const source = glob.replace(/[.*?]/g, (sign) => ({ '.': '\\.', '*': '.*', '?': '.' })[sign] ?? sign);
        expect(matchesGlob(text, glob)).toBe(new RegExp(`^${source}$`).test(text));
      }),
    );
  });

  test('no pattern can hang it', () => {
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
    expect(outcome(`in_cidr(device.name, "${network}")`, { name: address })).toBe(String(expected));
  });

  test.each(['', 'nowhere', '300.1.1.1', null])('%j is not known to be in or out', (name) => {
    expect(outcome('in_cidr(device.name, "10.0.0.0/8")', { name })).toBe('false');
    expect(outcome('!in_cidr(device.name, "10.0.0.0/8")', { name })).toBe('false');
  });

  test('a network that is none is told when the rule loads', () => {
    expect(problemWithCondition('in_cidr(device.name, "10.0.0.0/33")')).toEqual({
      message: '"10.0.0.0/33" is no network such as "203.0.113.0/24"',
      offset: 21,
    });
  });
});

test('an unknown function is told with the nearest of ours', () => {
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
    expect(outcome(text, { name, p: false })).toBe(String(expected));
  });

  test('no pattern can hang it', () => {
    const name = `${'a'.repeat(50_000)}!`;
    expect(outcome('device.name.matches("^(a+)+$")', { name })).toBe('false');
    expect(outcome('device.name.matches("(.*a){20}$")', { name: 'a'.repeat(2000) + '!' })).toBe('false');
  });

  test('the reason names what the author wrote', () => {
    const verdict = condition('device.q && device.name.matches("^b")').evaluate({
      event: {},
      device: { q: true, name: 'abc' },
    });
    expect(verdict).toEqual({
      outcome: 'false',
      because: 'device.name.matches("^b") is not true: device.name is "abc"',
    });
  });

  test('a pattern that is none is told when the rule loads', () => {
    const problem = problemWithCondition('device.p && device.name.matches("[a")');
    expect(problem.offset).toBe(32);
    expect(problem.message).toMatch(/^"\[a" is no regular expression \(RE2\)/);
    expect(problemWithCondition('device.name.matches("(a)\\\\1")').message).toMatch(/no regular expression/);
  });

  test('a field of that name is left alone', () => {
    expect(outcome('attributes.matches == "x" || device.name.matches("a")', { name: 'a' })).toBe('true');
  });
});
