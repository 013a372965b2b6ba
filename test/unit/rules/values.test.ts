import { describe, expect, test } from '@jest/globals';
import { member, show, valueAt } from '../../../src/rules/model/values.js';

describe('valueAt', () => {
  const values = { device: { firewall: { enabled: true }, name: null }, list: ['a'] };
  test.each<[string[], unknown]>([
    [['device', 'firewall', 'enabled'], true],
    [['device', 'name'], null],
    [['device', 'name', 'length'], undefined],
    [['device', 'absent', 'deeper'], undefined],
    [['absent'], undefined],
    [['list', '0'], 'a'],
    [[], values],
  ])('%j', (path, expected) => {
    expect(valueAt(values, path)).toEqual(expected);
  });

  test('only own members', () => {
    expect(member({}, 'constructor')).toBeUndefined();
    expect(member({}, '__proto__')).toBeUndefined();
    expect(member('text', 'length')).toBeUndefined();
  });
});

test.each<[unknown, string]>([
  [undefined, 'missing'],
  [null, 'null'],
  ['a "quoted" text\n', '"a \\"quoted\\" text\\n"'],
  [5, '5'],
  [5n, '5'],
  [[1n, { a: 2n }], '[1,{"a":2}]'],
  [new Date('2024-01-01T00:00:00Z'), '"2024-01-01T00:00:00.000Z"'],
  ['x'.repeat(78), `"${'x'.repeat(78)}"`],
  ['x'.repeat(79), `"${'x'.repeat(79)}…`],
])('show(%p)', (value, expected) => {
  expect(show(value)).toBe(expected);
});
