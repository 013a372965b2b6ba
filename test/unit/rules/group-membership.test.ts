import { expect, test } from '@jest/globals';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Vocabulary } from '../../../src/rules/model/vocabulary.js';

const CATALOG = {
  'device group': [{ id: 41, name: 'Laptops' }],
  'assignment group': [{ id: 41, name: 'Kiosk apps' }],
};

function compile(condition: string, catalog?: ReturnType<NonNullable<Vocabulary['catalogs']>>) {
  const text = `rules: [{ id: a, on: device.enrolled, if: ${JSON.stringify(condition)}, do: [{ log: hi }] }]`;
  const vocabulary = serviceVocabulary({}, ['default']);
  return compileRuleFiles([{ name: 'r.yaml', text }], {
    ...vocabulary,
    ...(catalog && { catalogs: () => catalog }),
  });
}

function result(condition: string, values: Record<string, unknown>): boolean | undefined {
  return compile(condition).rules[0]?.condition?.partialResult(values);
}

const LAPTOPS = { id: 41, name: 'Laptops' };
const KIOSK = [{ id: 7, name: 'Kiosk apps', via_device_group: false }];

test.each<[string, Record<string, unknown>, boolean | undefined]>([
  ['in_group("Laptops")', { group: LAPTOPS }, true],
  ['in_group("Laptops")', { group: LAPTOPS, assignment_groups: [] }, true],
  ['in_group("Kiosk apps")', { group: LAPTOPS, assignment_groups: KIOSK }, true],
  ['in_group("Kiosk apps")', { assignment_groups: KIOSK }, true],
  ['in_group("Other")', { group: LAPTOPS, assignment_groups: KIOSK }, false],
  // Not looked up yet, or unknown.
  ['in_group("Other")', { group: LAPTOPS }, undefined],
  ['in_group("Other")', { group: LAPTOPS, assignment_groups: null }, undefined],
  ['in_group("Other")', { assignment_groups: KIOSK }, undefined],
  ['in_group("Other")', { group: null, assignment_groups: null }, undefined],
  // Accounts whose device groups have been replaced.
  ['in_group("Other")', { group: null, assignment_groups: KIOSK }, false],
  ['!in_group("Laptops")', { group: null, assignment_groups: [] }, true],
  // A number is the id of a device group: the kinds may have the same ids.
  ['in_group(41)', { group: LAPTOPS }, true],
  ['in_group(7)', { group: LAPTOPS }, false],
  ['in_group(7)', { group: null }, undefined],
  ['in_assignment_group("Kiosk apps")', { assignment_groups: KIOSK }, true],
  ['in_assignment_group(7)', { assignment_groups: KIOSK }, true],
  ['in_assignment_group("7")', { assignment_groups: KIOSK }, true],
  ['in_assignment_group("Laptops")', { group: LAPTOPS, assignment_groups: KIOSK }, false],
  ['in_assignment_group("Kiosk apps")', { assignment_groups: null }, undefined],
])('%s with %j is %s', (condition, values, expected) => {
  expect(result(condition, values)).toBe(expected);
});

test('each function reads only the facts that it needs', () => {
  const facts = (condition: string): string[] =>
    [...(compile(condition).rules[0]?.conditionFacts ?? [])].sort();
  expect(facts('in_group("Laptops")')).toEqual(['assignment_groups', 'group']);
  expect(facts('in_group(41)')).toEqual(['group']);
  expect(facts('in_assignment_group("Kiosk apps")')).toEqual(['assignment_groups']);
});

const problems = (condition: string, catalog?: Parameters<typeof compile>[1]): string[] =>
  compile(condition, catalog).problems.map(({ message }) => message);

test('a name is checked in both catalogs', () => {
  expect(problems('in_group("Laptops") && in_group("Kiosk apps")', CATALOG)).toEqual([]);
  expect(problems('in_group("Laptps")', CATALOG)).toEqual([
    'there is no device group or assignment group "Laptps"; did you mean "Laptops"?',
  ]);
  expect(problems('in_group("Kiosk aps")', CATALOG)).toEqual([
    'there is no device group or assignment group "Kiosk aps"; did you mean "Kiosk apps"?',
  ]);
  expect(problems('in_assignment_group("Laptops")', CATALOG)).toEqual([
    'there is no assignment group "Laptops" (existing: Kiosk apps)',
  ]);
  // An account without one of the kinds.
  expect(problems('in_group("Kiosk apps")', { 'assignment group': CATALOG['assignment group'] })).toEqual([]);
  expect(problems('in_group("X")', {})).toEqual([]);
});

test('hours are checked when the file loads', () => {
  expect(problems('during("Mon-Fri 09:00-17:00", "Europe/Berlin")')).toEqual([]);
  expect(problems('during("Mon-Fri 9-17", "Europe/Berlin")')).toEqual([
    '"9-17" is not a range of times: write 09:00-17:00',
  ]);
  expect(problems('during("Mon", "Europe/Berln")')).toEqual([
    'unknown time zone "Europe/Berln"; did you mean "Europe/Berlin"?',
  ]);
  expect(problems('during("Mon")')[0]).toContain('expected during(text, text)');
});

test('hours are those of the evaluation', () => {
  const at = (time: string) =>
    compile('during("Mon-Fri 09:00-17:00", "Europe/Berlin")').rules[0]?.condition?.evaluate(
      {},
      new Date(time),
    );
  expect(at('2026-01-05T08:00:00Z')).toEqual({ result: 'true' });
  expect(at('2026-01-04T08:00:00Z')).toMatchObject({ result: 'false' });
  const unknown = compile('during("Mon", device.time_zone)').rules[0]?.condition;
  expect(unknown?.evaluate({ device: { time_zone: null } })).toMatchObject({
    result: 'false',
    unknown: true,
  });
  expect(unknown?.evaluate({ device: { time_zone: 'Nowhere' } })).toMatchObject({
    result: 'error',
    reason: expect.stringContaining('unknown time zone'),
  });
});
