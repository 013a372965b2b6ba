import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { onOneLine } from '../../../src/rules/cel/condition.js';
import type { ConditionResult } from '../../../src/rules/cel/condition.js';
import type { Values } from '../../../src/rules/model/values.js';
import { condition, problemWithCondition } from './test-vocabulary.js';

const DEVICE = {
  id: 4,
  name: 'Anna’s MacBook',
  model_name: null,
  is_supervised: null,
  enrolled_at: new Date('2024-01-01T00:00:00Z'),
  firewall: null,
  tags: ['loaner'],
  p: true,
  q: false,
  r: null,
};
const APPS = [
  { name: 'Slack', version: null, size: 3 },
  { name: 'Zoom', version: '6.1', size: null },
];
const EVENT = {
  type: 'device.enrolled',
  at: new Date('2024-01-02T00:00:00Z'),
  data: { n: 5, word: 'seven', nothing: null, list: [1, null, 'a'] },
};
const VALUES: Values = {
  event: EVENT,
  device: DEVICE,
  apps: APPS,
  attributes: { room: 'A1', floor: '5', empty: null },
};

function result(text: string, values: Values = VALUES): ConditionResult['result'] {
  return condition(text).evaluate(values).result;
}

function reason(text: string, values: Values = VALUES): string {
  const evaluated = condition(text).evaluate(values);
  return evaluated.result === 'true' ? 'true' : evaluated.reason;
}

describe('null is unknown', () => {
  // `partialResult` tells false from unknown; `evaluate` makes both "not true".
  test.each<[string, boolean | undefined]>([
    ['device.r && device.q', false],
    ['device.q && device.r', false],
    ['device.r && device.p', undefined],
    ['device.p && device.r', undefined],
    ['device.r || device.p', true],
    ['device.p || device.r', true],
    ['device.r || device.q', undefined],
    ['device.q || device.r', undefined],
    ['device.r', undefined],
    ['!device.r', undefined],
    ['!!device.r', undefined],
    ['!(device.r && device.q)', true],
    ['device.r ? true : true', undefined],
    ['device.r == null', true],
    ['null == device.r', true],
    ['device.r != null', false],
    ['device.p == null', false],
    ['device.p != null', true],
    ['device.r == true', undefined],
    ['device.model_name == "x"', undefined],
    ['device.model_name != "x"', undefined],
    ['!(device.model_name == "x")', undefined],
    ['device.r != true', undefined],
    ['attributes.absent != "x"', undefined],
    ['event.data.absent != 1', undefined],
    ['device.model_name == "x" || true', true],
    ['device.model_name > "a"', undefined],
    ['device.model_name.contains("x")', undefined],
    ['!device.model_name.contains("x")', undefined],
    ['device.model_name + "x" == "x"', undefined],
    ['device.model_name in ["x"]', undefined],
    ['!(device.model_name in ["x"])', undefined],
    ['(device.model_name) in ["x"]', undefined],
    ['device.model_name in ["x"] || device.p', true],
    ['device.model_name in [null, "x"]', true],
    ['device.model_name == device.model_name', undefined],
    ['device.p in [true]', true],
    ['device.p in [false]', false],
    ['device.firewall == null', true],
    ['device.firewall.enabled', undefined],
    ['!device.firewall.enabled', undefined],
    ['device.firewall.enabled || device.p', true],
    ['attributes.empty == null', true],
    // A field that a known record lacks is null, not unknown.
    ['attributes.absent == "x"', undefined],
    ['attributes.absent == null', true],
    ['attributes.absent.startsWith("x")', undefined],
    ['attributes.absent == "x" || true', true],
    ['has(attributes.absent)', false],
    ['has(attributes.room)', true],
    ['has(attributes.empty)', false],
    ['has(device.model_name)', false],
    ['!has(device.model_name)', true],
    ['has(device.name) && has(attributes.room)', true],
    ['apps.exists(a, has(a.version) && a.version == "6.1")', true],
    ['apps.exists(a, has(a.version))', true],
    ['event.data.nothing == null', true],
    ['event.data.absent == 1', undefined],
    ['event.data.absent.deeper == 1', undefined],
    ['apps.exists(a, a.version == "6.1")', true],
    ['apps.exists(a, a.version.startsWith("6"))', true],
    ['apps.exists(a, a.version.startsWith("7"))', undefined],
    ['apps.all(a, a.version.startsWith("6"))', undefined],
    ['apps.all(a, a.version.startsWith("7"))', false],
    ['apps.exists(a, a.size > 2)', true],
    ['event.data.list.exists(x, x == "a")', true],
  ])('%s is %s', (text, expected) => {
    expect(condition(text).partialResult(VALUES)).toBe(expected);
    expect(result(text)).toBe(expected === true ? 'true' : 'false');
    const { unknown } = { unknown: undefined, ...condition(text).evaluate(VALUES) };
    expect(unknown).toBe(expected === undefined ? true : undefined);
  });

  test('a fact that is null makes everything about it unknown, and == null asks for it', () => {
    const values = { ...VALUES, device: null };
    expect(condition('device == null').partialResult(values)).toBe(true);
    expect(condition('device.p').partialResult(values)).toBeUndefined();
    expect(condition('device.name == "x"').partialResult(values)).toBeUndefined();
    expect(result('device.name != "x"', values)).toBe('false');
  });

  type Formula =
    | { readonly leaf: 'p' | 'q' | 'r' }
    | { readonly not: Formula }
    | { readonly and: readonly [Formula, Formula] }
    | { readonly or: readonly [Formula, Formula] };
  const formula = fc.letrec<{ formula: Formula }>((tie) => ({
    formula: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ leaf: fc.constantFrom('p', 'q', 'r') }),
      fc.record({ not: tie('formula') }),
      fc.record({ and: fc.tuple(tie('formula'), tie('formula')) }),
      fc.record({ or: fc.tuple(tie('formula'), tie('formula')) }),
    ),
  })).formula;
  const textOf = (node: Formula): string => {
    if ('leaf' in node) return `device.${node.leaf}`;
    if ('not' in node) return `!(${textOf(node.not)})`;
    return 'and' in node
      ? `(${textOf(node.and[0])} && ${textOf(node.and[1])})`
      : `(${textOf(node.or[0])} || ${textOf(node.or[1])})`;
  };
  type Leaves = Readonly<Record<'p' | 'q' | 'r', boolean | null>>;
  /** Kleene's strong three-valued logic, as the CEL specification has it. */
  const kleene = (node: Formula, leaves: Leaves): boolean | null => {
    if ('leaf' in node) return leaves[node.leaf];
    if ('not' in node) {
      const inner = kleene(node.not, leaves);
      return inner === null ? null : !inner;
    }
    const isAnd = 'and' in node;
    const sides = (isAnd ? node.and : node.or).map((side) => kleene(side, leaves));
    if (sides.includes(!isAnd)) return !isAnd;
    return sides.includes(null) ? null : isAnd;
  };
  const truth = fc.constantFrom(true, false, null);

  test('any formula of &&, || and ! follows three-valued logic', () => {
    fc.assert(
      fc.property(formula, fc.record({ p: truth, q: truth, r: truth }), (tree, leaves) => {
        const expected = kleene(tree, leaves);
        const compiled = condition(textOf(tree));
        expect(compiled.partialResult({ device: leaves })).toBe(expected ?? undefined);
        expect(compiled.evaluate({ device: leaves }).result).toBe(expected === true ? 'true' : 'false');
      }),
      { numRuns: 300 },
    );
  });
});

describe('partialResult', () => {
  test.each<[string, Values, boolean | undefined]>([
    ['event.type == "x" && device.p', { event: EVENT }, false],
    ['device.p && event.type == "x"', { event: EVENT }, false],
    ['event.type == "device.enrolled" || device.p', { event: EVENT }, true],
    ['event.type == "device.enrolled" && device.p', { event: EVENT }, undefined],
    ['event.type == "device.enrolled" && device.p', { event: EVENT, device: DEVICE }, true],
    ['device == null', { event: EVENT }, undefined],
    ['device != null', { event: EVENT }, undefined],
    ['has(device.name)', { event: EVENT }, undefined],
    ['!has(device.name)', { event: EVENT }, undefined],
    ['apps.size() == 0', { event: EVENT }, undefined],
    ['apps == []', { event: EVENT }, undefined],
    ['[device].size() == 1', { event: EVENT }, undefined],
    ['"x" in attributes', { event: EVENT }, undefined],
  ])('%s', (text, values, expected) => {
    expect(condition(text).partialResult(values)).toBe(expected);
  });

  const leaf = fc.constantFrom(
    'event.type == "device.enrolled"',
    'event.data.n > 4',
    'event.data.absent == 1',
    '1 / 0 == 1',
    'device.p',
    'device.q',
    'device.r',
    'device == null',
    'has(device.name)',
    'device.firewall.enabled',
    'device.name.startsWith("A")',
    'device.tags.exists(t, t == "loaner")',
    'apps.exists(a, a.version == "6.1")',
    'apps.all(a, a.size > 1)',
    'apps.size() == 0',
    'apps == null',
    'attributes.room == "A1"',
    'attributes.absent == "x"',
    'has(attributes.absent)',
    'attributes == {}',
    'device.id > group.id',
    'group.name == device.name',
  );
  const expression = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('expression').map((inner) => `!(${inner})`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) && (${b})`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) || (${b})`),
      fc
        .tuple(tie('expression'), tie('expression'), tie('expression'))
        .map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    ),
  })).expression;
  const name = fc.constantFrom('Anna', 'Bob', null);
  const bool = fc.constantFrom(true, false, null);
  const full = fc.record({
    event: fc.constant(EVENT),
    device: fc.option(
      fc.record({
        id: fc.constantFrom(1, 4, null),
        name,
        p: bool,
        q: bool,
        r: bool,
        firewall: fc.option(fc.record({ enabled: bool })),
        tags: fc.constantFrom(null, [], ['loaner'], [null, 'loaner']),
      }),
    ),
    apps: fc.option(
      fc.array(fc.record({ version: fc.constantFrom('6.1', '7', null), size: fc.constantFrom(1, 3, null) }), {
        maxLength: 3,
      }),
    ),
    attributes: fc.constantFrom(null, {}, { room: 'A1' }, { room: null, absent: 'x' }),
    group: fc.option(fc.record({ id: fc.constantFrom(1, 2, null), name })),
  });

  test('further values never change a partial result', () => {
    let decidedEarly = 0;
    fc.assert(
      fc.property(
        expression,
        full,
        fc.subarray(['event', 'device', 'apps', 'attributes', 'group'] as const),
        (text, values, kept) => {
          const compiled = condition(text);
          const partial = Object.fromEntries(kept.map((key) => [key, values[key]]));
          const decided = compiled.partialResult(partial);
          if (decided === undefined) return;
          if (kept.length < 5) decidedEarly += 1;
          expect(compiled.evaluate(values).result).toBe(String(decided));
        },
      ),
      { numRuns: 1500 },
    );
    // Otherwise the property would be empty.
    expect(decidedEarly).toBeGreaterThan(100);
  });

  test('evaluate returns true exactly when partialResult does', () => {
    fc.assert(
      fc.property(expression, full, (text, values) => {
        const compiled = condition(text);
        const { result: found } = compiled.evaluate(values);
        expect(found === 'true').toBe(compiled.partialResult(values) === true);
        if (compiled.partialResult(values) === false) expect(found).toBe('false');
      }),
      { numRuns: 500 },
    );
  });
});

describe('numbers: JSON numbers and whole numbers mix', () => {
  test.each([
    'device.id == 4',
    'device.id == 4.0',
    '4 == device.id',
    'device.id != 5',
    'device.id > 3',
    'device.id >= 4',
    'device.id < 4.5',
    '3 < device.id',
    'device.id in [1, 4]',
    'device.id in [1.0, 4]',
    'device.id + 1 == 5',
    '1 + device.id == 5',
    'device.id - 5 == -1',
    'device.id * 2 == 8',
    'device.id * 2.0 == 8',
    'device.id / 8 == 0.5',
    'device.id % 3 == 1',
    '-device.id == -4',
    'event.data.n == 5',
    'event.data.n > 4.5',
    'event.data.n + 1 == 6',
    'event.data.n / 2 == 2.5',
    'event.data.n in [5]',
    'size(device.tags) == device.id - 3',
    'size(device.tags) > 0.5',
    'int(attributes.floor) == 5',
    'double(attributes.floor) > 4',
    'apps.exists(a, a.size == 3)',
  ])('%s', (text) => {
    expect(condition(text).evaluate(VALUES)).toEqual({ result: 'true' });
  });

  // The two environments must agree: an expression that passes the check must not fail for its types at run time.
  test.each([
    'double(attributes.floor) == 5',
    'double(attributes.floor) != 6',
    'int(attributes.floor) == 5.0',
    '1.0 == 1',
    '2 * 2.0 == 4',
    '2 * 2.0 == 4.0',
    '2.0 * 2 == 4',
    'size(device.tags) * 1.5 == 1.5',
  ])('an int and a double whose types are known when the file loads: %s', (text) => {
    expect(condition(text).evaluate(VALUES)).toEqual({ result: 'true' });
  });
});

describe('times', () => {
  test.each([
    'event.at > device.enrolled_at',
    'device.enrolled_at < timestamp("2024-01-01T00:00:01Z")',
    'device.enrolled_at + duration("24h") == event.at',
    'event.at - device.enrolled_at >= duration("24h")',
    'event.at.getFullYear() == 2024',
  ])('%s', (text) => {
    expect(result(text)).toBe('true');
  });
});

describe('the reason names the conjunct that decided, with its values', () => {
  test('on one line, however the rule file breaks the lines', () => {
    const text = 'device.p\n  && (device.q\n\n    || event.data.word == "a  b")\n';
    expect(onOneLine(text)).toBe('device.p && (device.q || event.data.word == "a  b")');
    expect(reason(text)).toMatch(/^\(?device\.q \|\| event\.data\.word == "a {2}b"\)? is not true: /);
  });

  test('the first false conjunct, even behind an unknown one', () => {
    expect(reason('device.p && device.r && device.q && event.data.n == 6')).toBe(
      'device.q is not true: device.q is false',
    );
  });

  test('without a false one, the first unknown one', () => {
    expect(reason('device.p && device.model_name.contains("Book") && device.firewall.enabled')).toBe(
      'device.model_name.contains("Book") is not true: device.model_name is null',
    );
  });

  test('conjuncts in parentheses count separately, disjunctions are one part', () => {
    expect(reason('device.p && (device.p && event.data.n == 6)')).toBe(
      'event.data.n == 6 is not true: event.data.n is 5',
    );
    expect(reason('device.p && (device.q || event.data.n > 9)')).toBe(
      'device.q || event.data.n > 9 is not true: device.q is false, event.data.n is 5',
    );
  });

  test('each value appears once, a missing one as null, a long one shortened', () => {
    expect(reason('device.id > 5 && device.p')).toBe('device.id > 5 is not true: device.id is 4');
    expect(reason('device.id > 5 || device.id < 2')).toBe(
      'device.id > 5 || device.id < 2 is not true: device.id is 4',
    );
    expect(reason('attributes.absent == "x"')).toBe(
      'attributes.absent == "x" is not true: attributes.absent is null',
    );
    const name = 'n'.repeat(500);
    expect(reason('device.name == "x"', { device: { name } })).toBe(
      `device.name == "x" is not true: device.name is "${'n'.repeat(79)}…`,
    );
  });

  test('names that a macro binds do not appear as values', () => {
    expect(reason('device.tags.exists(t, t == "x")')).toBe(
      'device.tags.exists(t, t == "x") is not true: device.tags is ["loaner"]',
    );
  });

  test('a condition without names', () => {
    expect(reason('1 == 2')).toBe('1 == 2 is not true');
  });

  test('significant parentheses stay, in the text and in the evaluation', () => {
    // 4 - (1 - 2) is 5: the first conjunct is true, the second decides.
    expect(reason('device.id - (1 - 2) == 5 && device.q')).toBe('device.q is not true: device.q is false');
    expect(reason('device.id - (1 - 2) == 7 && device.p')).toContain('(1 - 2)');
    expect(reason('device.id / (4 / 2) == 2 && device.q')).toBe('device.q is not true: device.q is false');
  });

  const parts = fc.array(fc.constantFrom('p', 'q', 'r'), { minLength: 1, maxLength: 6 });
  test('for any chain of conjuncts it is the first false one, else the first unknown one', () => {
    fc.assert(
      fc.property(parts, (names) => {
        const deciding = names.includes('q') ? 'q' : names.includes('r') ? 'r' : undefined;
        const text = names.map((name) => `device.${name}`).join(' && ');
        expect(reason(text)).toBe(
          deciding === undefined
            ? 'true'
            : `device.${deciding} is not true: device.${deciding} is ${deciding === 'q' ? 'false' : 'null'}`,
        );
      }),
    );
  });
});

describe('texts in a condition', () => {
  test.each(['😀', '👩‍💻', '\\u00e9', 'ü', '\\n', '\\\\', "it's", '\u2028', '${SET}', '{{ x }}'])(
    'a condition can compare with "%s" in any conjunct',
    (text) => {
      expect(result(`device.name == "${text}" && device.p`)).toBe('false');
      expect(reason(`device.name == "${text}" && device.p`)).toMatch(/^device\.name == ".*" is not true/s);
    },
  );

  test('any text compares equal to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        const literal = JSON.stringify(name);
        expect(result(`device.p && device.name == ${literal}`, { device: { p: true, name } })).toBe('true');
        expect(result(`device.p && device.name != ${literal}`, { device: { p: true, name } })).toBe('false');
      }),
    );
  });
});

describe('real errors are errors, not "not true"', () => {
  test.each([
    ['1 / 0 == 1', 'division by zero'],
    ['device.p && 1 / 0 == 1', 'division by zero'],
    ['int(event.data.word) == 1', 'int()'],
    ['timestamp(event.data.word) > event.at', 'timestamp()'],
    ['event.data.word > 1', 'no such overload'],
    ['event.data.word', 'event.data.word is "seven", expected true or false'],
    ['device.p && event.data.word', 'event.data.word is "seven", expected true or false'],
    ['attributes.floor > 4', 'no such overload'],
    ['device.r == null ? 1 / 0 == 1 : true', 'division by zero'],
  ])('%s', (text, message) => {
    expect(condition(text).evaluate(VALUES)).toEqual({
      result: 'error',
      reason: expect.stringContaining(message),
    });
  });

  test('an error beside a deciding operand does not matter', () => {
    expect(result('1 / 0 == 1 || device.p')).toBe('true');
    expect(result('1 / 0 == 1 && device.q')).toBe('false');
  });
});

describe('the type check, when the file loads', () => {
  test.each([
    ['device.nmae == "x"', 7, 'unknown field "nmae"; did you mean "name"?', 'rule/unknown-field'],
    [
      'device.p && device.firewall.enbled',
      28,
      'unknown field "enbled"; did you mean "enabled"?',
      'rule/unknown-field',
    ],
    [
      'apps.exists(a, a.verison == "1")',
      17,
      'unknown field "verison"; did you mean "version"?',
      'rule/unknown-field',
    ],
    ['event.tpye == "x"', 6, 'unknown field "tpye"; did you mean "type"?', 'rule/unknown-field'],
    ['device.completely_unheard_of == 1', 7, 'unknown field "completely_unheard_of"', 'rule/unknown-field'],
    ['devcie.name == "x"', 0, 'unknown name "devcie"; did you mean "device"?', 'rule/unknown-name'],
    [
      'device.name.contians("x")',
      12,
      'unknown function "contians"; did you mean "contains"?',
      'rule/unknown-function',
    ],
    [
      'device.id == "1"',
      0,
      'cannot compare a number with a text: a number has no quotes: write device.id == 1',
      'rule/type-mismatch',
    ],
    [
      'device.enrolled_at == "2024-01-01"',
      0,
      'cannot compare a time with a text: write timestamp("2026-01-31T08:00:00Z"), or age(a) > duration("336h")',
      'rule/type-mismatch',
    ],
    ['device.p == 1', 0, 'cannot compare true or false with a number', 'rule/type-mismatch'],
    [
      'device.name',
      0,
      'a condition must be true or false; this one is a text: compare it with a value',
      'rule/type-mismatch',
    ],
    [
      'device.id',
      0,
      'a condition must be true or false; this one is a number: compare it with a value',
      'rule/type-mismatch',
    ],
    [
      'device.enrolled_at',
      0,
      'a condition must be true or false; this one is a time: compare it with a value',
      'rule/type-mismatch',
    ],
    [
      'device',
      0,
      'a condition must be true or false; this one is a record: compare it with a value',
      'rule/type-mismatch',
    ],
    [
      '"true"',
      0,
      'a condition must be true or false; this one is a text: compare it with a value',
      'rule/type-mismatch',
    ],
  ])('%s', (text, offset, message, code) => {
    expect(problemWithCondition(text)).toEqual({ code, message, offset });
  });

  test.each([
    ['device.name == "a', 15],
    ['(device.p', 9],
    ['device.p)', 8],
    ['device.name = "a"', 12],
    ['device.p & device.q', 9],
    ['', 0],
  ])('the offset of a syntax error: %s', (text, offset) => {
    const problem = problemWithCondition(text);
    expect(problem.offset).toBe(offset);
    expect(problem.message).not.toBe('');
  });

  test.each([
    ['too many parts', Array(1000).fill('device.p').join(' && '), /2000/],
    ['nested too deeply', `${'('.repeat(100)}device.p${')'.repeat(100)}`, /60/],
    ['too long a list', `device.id in [${Array(2500).fill('1').join()}]`, /1000|2000/],
  ])('a condition is rejected that is %s', (_what, text, message) => {
    expect(problemWithCondition(text).message).toMatch(message);
  });

  test('a condition just below the limits compiles', () => {
    expect(result(Array(60).fill('device.p').join(' && '))).toBe('true');
    expect(result(`${'('.repeat(20)}device.p${')'.repeat(20)}`)).toBe('true');
  });
});

describe('names', () => {
  test.each<[string, string[]]>([
    ['event.type == "x"', ['event']],
    ['device.p && apps.exists(a, a.name == attributes.room)', ['apps', 'attributes', 'device']],
    ['apps.exists(device, device.name == "x")', ['apps']],
    ['[1].exists(x, device.id == 1)', ['device']],
    ['device["name"] == group.name', ['device', 'group']],
    ['true', []],
  ])('%s names %j', (text, names) => {
    expect([...condition(text).names].sort()).toEqual(names);
  });

  test('a condition keeps its text as written', () => {
    expect(condition('device.p  &&\n device.q').text).toBe('device.p  &&\n device.q');
  });
});

test('an expression reaches no prototype and no global', () => {
  for (const text of [
    'event.data.constructor == 1',
    'event.data.toString == 1',
    'event.data["__proto__"] == 1',
    'event.data["constructor"] != null || false',
    'attributes.hasOwnProperty == "x"',
  ]) {
    expect(condition(text).partialResult(VALUES)).not.toBe(true);
  }
  expect(problemWithCondition('process == 1').message).toContain('unknown name "process"');
  expect(problemWithCondition('globalThis.x == 1').message).toContain('unknown name "globalThis"');
  expect(problemWithCondition('device.constructor == 1').message).toContain('unknown field "constructor"');
});

describe('in_group', () => {
  const of = (text: string, group: unknown, groups: readonly unknown[] | null = []): ConditionResult =>
    condition(text).evaluate({ group, assignment_groups: groups });

  test('of a group whose record cannot be read: it may have any name, but only one id', () => {
    const unreadable = { id: 7, name: null };
    for (const text of ['in_group("Laptops")', '!in_group("Laptops")', '!in_group("8")'])
      expect(of(text, unreadable)).toMatchObject({ result: 'false', unknown: true });
    expect(of('in_group(7)', unreadable)).toEqual({ result: 'true' });
    expect(of('!in_group(8)', unreadable)).toEqual({ result: 'true' });
    expect(of('!in_group("Laptops")', { id: 7, name: 'Phones' })).toEqual({ result: 'true' });
  });

  test('and in_assignment_group of an assignment group whose name cannot be read', () => {
    const groups = [
      { id: 7, name: null },
      { id: 8, name: 'Kiosk' },
    ];
    for (const call of ['in_group("Laptops")', 'in_assignment_group("Laptops")']) {
      expect(of(`!${call}`, null, groups)).toMatchObject({ result: 'false', unknown: true });
      expect(of(`!${call}`, null, [groups[1]])).toEqual({ result: 'true' });
    }
    for (const call of ['in_group("Kiosk")', 'in_assignment_group("Kiosk")', 'in_assignment_group(7)'])
      expect(of(call, null, groups)).toEqual({ result: 'true' });
    expect(of('in_group("null")', null, groups).result).toBe('false');
    expect(of('!in_assignment_group(9)', null, groups)).toEqual({ result: 'true' });
  });
});

describe('a null in a list may be what is sought', () => {
  const found = (text: string): ConditionResult => condition(text).evaluate(VALUES);

  test.each([
    '"6.1" in apps.map(a, a.version)',
    'null in event.data.list',
    '"a" in event.data.list',
    '!("b" in ["a", event.data.word])',
    '!(5 in [1, 2])',
    '!("b" in ["a", null])',
  ])('%s', (text) => {
    expect(found(text)).toEqual({ result: 'true' });
  });

  test.each([
    '!("9" in apps.map(a, a.version))',
    '["9"].all(v, !(v in apps.map(a, a.version)))',
    'cel.bind(versions, apps.map(a, a.version), !("9" in versions))',
    '!("b" in event.data.list)',
    '!("b" in [event.data.nothing])',
    '!(event.data.word in [event.data.nothing] + ["x"])',
  ])('%s is unknown', (text) => {
    expect(found(text)).toMatchObject({ result: 'false', unknown: true });
  });
});
