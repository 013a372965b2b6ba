import { describe, expect, test } from '@jest/globals';
import { StepError } from '../../../src/actions/action.js';
import { reference, resolveReference } from '../../../src/actions/resolve-reference.js';
import type { Reference } from '../../../src/actions/resolve-reference.js';

interface Group {
  readonly id: number;
  readonly name: string | undefined;
}

const GROUPS: readonly Group[] = [
  { id: 1, name: 'Laptops' },
  { id: 2, name: 'Phones' },
  { id: 3, name: 'Twin' },
  { id: 4, name: 'Twin' },
  { id: 5, name: '2' },
  { id: 6, name: undefined },
];

function resolve(
  wanted: Reference,
  items = GROUPS,
  fresh = items,
): { found: Promise<Group>; calls: string[] } {
  const calls: string[] = [];
  let current = items;
  const found = resolveReference(
    'device group',
    wanted,
    {
      get: () => {
        calls.push('get');
        return Promise.resolve(current);
      },
      refresh: () => {
        calls.push('refresh');
        current = fresh;
        return Promise.resolve(fresh);
      },
    },
    (group) => group.name,
  );
  return { found, calls };
}

describe('resolveReference', () => {
  test.each<[string, Reference, number]>([
    ['a name', 'Laptops', 1],
    ['a number is an id, even if another object has it as its name', 2, 2],
    ['a text of digits is a name first', '2', 5],
    ['a text of digits is an id if no object has that name', '3', 3],
    ['the id of an object without a name', '6', 6],
  ])('%s', async (_what, wanted, id) => {
    const { found, calls } = resolve(wanted);
    expect((await found).id).toBe(id);
    expect(calls).toEqual(['get']);
  });

  test.each<[Reference, string]>([
    ['laptops', 'there is no device group "laptops"; did you mean "Laptops"?'],
    ['Lapptops', 'there is no device group "Lapptops"; did you mean "Laptops"?'],
    ['Entirely else', 'there is no device group "Entirely else"'],
    ['99999999', 'there is no device group "99999999"'],
    ['01', 'there is no device group "01"; did you mean "2"?'],
    [99_999_999, 'there is no device group with id 99999999'],
  ])('unknown reference %j', async (wanted, message) => {
    const { found } = resolve(wanted);
    await expect(found).rejects.toThrow(new StepError('step/unknown-reference', message));
    await expect(found).rejects.toBeInstanceOf(StepError);
    await expect(found).rejects.toMatchObject({ code: 'step/unknown-reference' });
  });

  test('two objects with the same name are refused with their ids', async () => {
    const { found } = resolve('Twin');
    await expect(found).rejects.toThrow(
      new StepError('step/ambiguous-reference', '2 device groups have the name "Twin" (ids 3, 4): use an id'),
    );
    await expect(found).rejects.toMatchObject({ code: 'step/ambiguous-reference' });
  });

  test('an object newer than the cached list is found', async () => {
    const { found, calls } = resolve('New', GROUPS, [...GROUPS, { id: 9, name: 'New' }]);
    expect((await found).id).toBe(9);
    expect(calls).toEqual(['get', 'refresh']);
  });

  test('the suggested name comes from the refreshed list', async () => {
    await expect(resolve('Newer', GROUPS, [{ id: 9, name: 'Newest' }]).found).rejects.toThrow(
      'did you mean "Newest"?',
    );
  });
});

test.each<[unknown, boolean]>([
  ['Laptops', true],
  [5, true],
  ['5', true],
  ['', false],
  [0, false],
  [-1, false],
  [1.5, false],
  [true, false],
  [null, false],
  [['Laptops'], false],
])('%j is a valid reference: %s', (value, expected) => {
  expect(reference.safeParse(value).success).toBe(expected);
});
