import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listensFor } from '../../../src/rules/model/event-pattern.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import { rulesFor } from '../../../src/rules/model/rule-index.js';

function ruleOn(id: string, on: readonly string[]): Rule {
  return {
    source: {
      id,
      enabled: true,
      on: [...on],
      allow: [],
      mode: 'live',
      onOwnActions: false,
      do: [],
    },
    condition: undefined,
    concurrencyKey: undefined,
    conditionFacts: new Set(),
    steps: [],
    clearSteps: [],
    onceKey: undefined,
    stepFacts: new Set(),
  };
}

const part = fc.constantFrom('device', 'abm', 'schedule', 'acme', 'enrolled', 'lock', 'a', 'constructor');
const type = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
const pattern = fc.oneof(
  type,
  fc.constant('*'),
  fc.tuple(part, fc.constantFrom('.*', '*')).map((ends) => ends.join('')),
  fc.tuple(fc.constantFrom('*.', '*'), part).map((ends) => ends.join('')),
  fc.tuple(part, part).map(([start, end]) => `${start}.*.${end}`),
);
const ruleSet = fc
  .array(fc.array(pattern, { minLength: 1, maxLength: 3 }), { maxLength: 30 })
  .map((lists) => lists.map((on, index) => ruleOn(`rule-${index}`, on)));

test('the index finds exactly the rules that a full scan finds, in their order', () => {
  fc.assert(
    fc.property(
      ruleSet,
      fc.array(type, { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      (rules, types, bySchedule) => {
        for (const wanted of types) {
          const scanned = rules.filter(({ source }) =>
            source.on.some((on) => listensFor(on, wanted, bySchedule)),
          );
          expect(rulesFor(rules, wanted, bySchedule)).toEqual(scanned);
        }
      },
    ),
  );
});

test('each list of rules has its own index', () => {
  const first = [ruleOn('one', ['device.enrolled'])];
  const second = [ruleOn('two', ['device.enrolled'])];
  expect(rulesFor(first, 'device.enrolled', false)).toEqual(first);
  expect(rulesFor(second, 'device.enrolled', false)).toEqual(second);
});
