import { Environment } from '@marcbachmann/cel-js';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { instrumentCost } from '../../../src/rules/cel/cost-instrumentation.js';
import { withCostBudget } from '../../../src/rules/cel/cost-budget.js';
import { codeOf } from '../../../src/rules/cel/library-error.js';
import { errorText } from '../../../src/telemetry/error-text.js';
import { compileCondition } from '../../../src/rules/cel/condition.js';
import { checkingEnvironment, evaluatingEnvironment } from '../../../src/rules/cel/environment.js';
import { compileTemplate } from '../../../src/rules/liquid/template.js';
import { SHAPES, condition, template } from './test-vocabulary.js';

const TEN = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]';
const VALUES = {
  event: { type: 'device.enrolled', data: { word: 'x' } },
  device: { id: 4, name: 'Mac', p: true, q: false, tags: ['a', 'b'] },
  apps: Array.from({ length: 100 }, (_unused, index) => ({
    name: `App ${index}`,
    version: '1',
    size: index,
  })),
  attributes: { room: 'A1' },
};

function nested(depth: number, macro: string, innermost: string): string {
  return depth === 0 ? innermost : `${TEN}.${macro}(v${depth}, ${nested(depth - 1, macro, innermost)})`;
}

describe('no expression can hang or fill the memory', () => {
  test.each([
    ['lists within lists within lists', nested(12, 'all', 'true')],
    ['the same with filter', `size(${TEN}.filter(a, ${nested(12, 'all', 'true')})) > 0`],
    ['the same with map', `size(${nested(9, 'map', 'v1')}) > 0`],
    ['a text that doubles', `size(["xxxxxxxxxx"]${'.map(a, a + a)'.repeat(25)}[0]) > 0`],
    ['a list that doubles', `size([[1, 1]]${'.map(a, a + a)'.repeat(25)}[0]) > 0`],
    [
      'a deep tree with many branches',
      `cel.bind(a, [1, 1], ${'cel.bind(a, [a, a], '.repeat(25)}size(a) == 2${')'.repeat(26)}`,
    ],
    [
      'a regular expression for each of many',
      'apps.all(a, apps.all(b, apps.all(c, !a.name.matches("(A|p)*x"))))',
    ],
    ['a pattern with many stars', `glob(device.name + "${'a'.repeat(30_000)}", "${'*a'.repeat(15_000)}b")`],
  ])('%s', (_what, text) => {
    expect(condition(text).evaluate(VALUES)).toEqual({
      result: 'error',
      reason: expect.stringMatching(/takes too many steps|builds a text or a list that is too long/),
    });
  });

  test('an error in each iteration also ends the evaluation', () => {
    expect(condition(nested(12, 'exists', 'v1 / 0 == 1')).evaluate(VALUES).result).toBe('error');
  });

  test('a realistic condition stays far within the budget', () => {
    const text = 'apps.all(a, apps.exists(b, b.name == a.name && b.name.startsWith("App")))';
    expect(condition(text).evaluate(VALUES)).toEqual({ result: 'true' });
  });
});

/** Expressions over lists with all macros, and parentheses, spaces and comments wherever they are allowed. */
const { expression } = fc.letrec<{ expression: string; list: string; number: string; bool: string }>(
  (tie) => ({
    number: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.integer({ min: 0, max: 9 }).map(String),
      fc.constantFrom('a', 'b', 'device.id'),
      fc.tuple(tie('number'), tie('number')).map(([x, y]) => `(${x}) + ${y}`),
      fc.tuple(tie('list')).map(([x]) => `${x}.size()`),
      fc.tuple(tie('number'), tie('number')).map(([x, y]) => `cel.bind(b , (${x}), (b) + ${y})`),
    ),
    list: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('[1, 2, 3]', '[(1), 2 ]', '[device.id, null]', 'event.data.list'),
      fc.tuple(tie('list'), tie('bool')).map(([x, y]) => `${x}.filter(a, (${y}))`),
      fc.tuple(tie('list'), tie('number')).map(([x, y]) => `${x}.map(b,// one, two\n${y} )`),
      fc.tuple(tie('list'), tie('bool'), tie('number')).map(([x, y, z]) => `${x}.map(a, ${y} ,(${z}))`),
    ),
    bool: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('true', 'device.p', 'device.q'),
      fc.tuple(tie('number'), tie('number')).map(([x, y]) => `(${x}) > ${y}`),
      fc.tuple(tie('bool'), tie('bool')).map(([x, y]) => `(${x} && (${y}))`),
      fc
        .tuple(tie('list'), fc.constantFrom('all', 'exists', 'exists_one'), tie('bool'))
        .map(([x, macro, y]) => `${x}.${macro}( a , ${y})`),
    ),
    expression: fc.oneof(tie('bool'), tie('list'), tie('number')),
  }),
);

test('an instrumented expression has the same result', () => {
  const environment = evaluatingEnvironment();
  const resultOf = (text: string): unknown => {
    try {
      return {
        value: withCostBudget((): unknown =>
          environment.parse(text)({
            device: { id: 4, p: true, q: false },
            event: { data: { list: [] } },
            a: 1,
            b: 2,
          }),
        ),
      };
    } catch (error) {
      return { error: codeOf(error) };
    }
  };
  let rewrites = 0;
  fc.assert(
    fc.property(expression, (text) => {
      const rewritten = instrumentCost(environment.parse(text).ast);
      if (rewritten !== text) rewrites += 1;
      expect(resultOf(rewritten)).toEqual(resultOf(text));
    }),
    { numRuns: 500 },
  );
  expect(rewrites).toBeGreaterThan(100);
});

test('without instrumentation the library evaluates every iteration', () => {
  const environment = new Environment();
  let ticks = 0;
  environment.registerFunction('tick(): bool', () => (ticks += 1) > 0);
  environment.parse(nested(5, 'all', 'tick()'))({});
  expect(ticks).toBe(100_000);
});

describe('nothing reaches the process or the environment beyond ${env:NAME}', () => {
  const CANARY = 'canary-of-the-environment';
  process.env['BOUNDS_CANARY'] = CANARY;
  afterAll(() => {
    delete process.env['BOUNDS_CANARY'];
  });

  const word = fc.constantFrom(
    ...['process', 'env', 'globalThis', 'global', 'require', 'constructor', 'prototype', '__proto__', 'this'],
    ...['device', 'event', 'data', 'name', 'toString', 'call', 'mainModule', 'BOUNDS_CANARY', 'Function'],
  );
  const path = fc
    .array(fc.tuple(fc.constantFrom('.', '["'), word), { minLength: 1, maxLength: 6 })
    .map((steps) =>
      steps
        .map(([how, name], index) => (index === 0 ? name : how === '.' ? `.${name}` : `["${name}"]`))
        .join(''),
    );

  test('a condition on any path is rejected, not true, or an error', () => {
    fc.assert(
      fc.property(path, (text) => {
        const comparison = `${text} == "${CANARY}"`;
        const compiled = compileCondition(comparison, checkingEnvironment(SHAPES), SHAPES);
        if ('message' in compiled) return;
        expect(compiled.partialResult(VALUES)).not.toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('a template never renders the canary', () => {
    fc.assert(
      fc.property(path, fc.constantFrom('', ' | json', ' | inspect', ' | join: ","'), (text, filter) => {
        const compiled = compileTemplate(`{{ ${text}${filter} }}`, { event: 'any', ...SHAPES });
        if (Array.isArray(compiled)) return;
        let output: string;
        try {
          output = compiled.render({ ...VALUES, steps: {} }, {});
        } catch (error) {
          output = errorText(error);
        }
        expect(output).not.toContain(CANARY);
      }),
      { numRuns: 500 },
    );
  });

  test('a template in a value is not rendered', () => {
    for (const name of [
      '${env:BOUNDS_CANARY}',
      '{{ event.data.word }}',
      '{% for i in (1..9) %}x{% endfor %}',
    ]) {
      const device = { ...VALUES.device, name };
      expect(template('{{ device.name }}').render({ ...VALUES, device, steps: {} }, process.env)).toBe(name);
    }
  });
});

describe('no template can hang or fill the memory', () => {
  test.each([
    [
      'loops within loops',
      '{% for i in (1..3000) %}{% for j in (1..3000) %}{% for k in (1..3000) %}{% endfor %}{% endfor %}{% endfor %}',
    ],
    ['a long range', '{% for i in (1..100000000) %}{% endfor %}'],
    [
      'a text that doubles',
      '{% assign a = "xxxxxxxxxx" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
    ],
    [
      'a repeated capture',
      '{% capture a %}xxxxxxxxxx{% endcapture %}{% for i in (1..20) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}{{ a }}',
    ],
    ['a wide date', '{{ "2026-01-31" | date: "%999999999d" }}'],
    [
      'a list that doubles',
      '{% assign a = apps %}{% for i in (1..40) %}{% assign a = a | concat: a %}{% endfor %}{{ a | size }}',
    ],
  ])('%s', (_what, text) => {
    expect(() => template(text).render({ ...VALUES, steps: {} }, {})).toThrow(
      /limit exceeded|exceeds 1000000 characters/,
    );
  });
});
