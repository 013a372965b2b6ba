import { describe, expect, test } from '@jest/globals';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { evaluateRules } from '../../../src/runs/evaluate-rules.js';
import type { Decision } from '../../../src/runs/evaluate-rules.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Failure } from '../../../src/simplemdm/errors.js';

const EVENT = {
  id: 'e',
  account: 'default',
  type: 'device.enrolled',
  at: '2024-01-02T00:00:00Z',
  receivedAt: '2024-01-02T00:00:01Z',
  source: 'webhook' as const,
  data: { device: { id: 1 }, n: 5 },
};

const FACTS: Readonly<Record<string, unknown>> = {
  device: { id: 1, name: 'Mac', platform: 'macOS', enrolled_at: '2024-01-01T00:00:00Z', is_supervised: null },
  attributes: { room: 'A1' },
  group: { id: 7, name: 'Laptops' },
  apps: [{ name: 'Slack' }],
  logs: [],
};

function rules(text: string): readonly Rule[] {
  const compiled = compileRuleFiles([{ name: 'r.yaml', text }], serviceVocabulary({}, ['default', 'acme']));
  expect(compiled.problems).toEqual([]);
  return compiled.rules;
}

/** A rule with a condition and a step that needs no fact by default. */
function rule(condition: string | undefined, message = 'hi', more = ''): readonly Rule[] {
  const text = JSON.stringify(condition);
  return rules(
    `rules:\n  - id: r\n    on: device.enrolled\n${condition === undefined ? '' : `    if: ${text}\n`}${more}    do:\n      - log: { message: ${JSON.stringify(message)} }\n`,
  );
}

interface Evaluated {
  readonly decisions: readonly Pick<Decision, 'verdict' | 'reason'>[];
  readonly codes: readonly Decision['code'][];
  /** The facts in the order of their lookups. */
  readonly fetched: readonly string[];
  readonly cause: unknown;
}

async function evaluate(
  given: readonly Rule[],
  failing: Readonly<Record<string, Error>> = {},
  facts = FACTS,
): Promise<Evaluated> {
  const fetched: string[] = [];
  const decisions = await evaluateRules(EVENT, given, {
    fetch: (name) => {
      fetched.push(name);
      const error = failing[name];
      return error === undefined ? Promise.resolve(facts[name] ?? null) : Promise.reject(error);
    },
  });
  return {
    decisions: decisions.map(({ verdict, reason }) => ({ verdict, reason })),
    codes: decisions.map(({ code }) => code),
    fetched,
    cause: decisions.find((decision) => decision.cause !== undefined)?.cause,
  };
}

function failure(about: Partial<Failure>): SimpleMdmError {
  return new SimpleMdmError({
    kind: 'response',
    account: 'default',
    method: 'GET',
    path: '/devices/1',
    mayHaveTakenEffect: false,
    ...about,
  });
}

describe('facts are fetched lazily', () => {
  test.each<[string, string | undefined, string[], string]>([
    ['none for a condition on the event alone', 'event.data.n == 5', [], 'matched'],
    ['none without a condition', undefined, [], 'matched'],
    [
      'none when the event alone decides for no',
      'event.data.n == 6 && device.platform == "macOS"',
      [],
      'not_matched',
    ],
    [
      'none when the event decides for no, in whatever order',
      'device.platform == "macOS" && event.data.n == 6',
      [],
      'not_matched',
    ],
    ['none when the event alone decides for yes', 'event.data.n == 5 || apps.size() > 9', [], 'matched'],
    ['one that decides', 'device.platform == "macOS"', ['device'], 'matched'],
    [
      'the cheapest first, in whatever order the condition names them',
      'logs.size() == 0 && apps.size() == 1 && group.name == "Laptops" && device.platform == "macOS"',
      ['device', 'group', 'apps', 'logs'],
      'matched',
    ],
    [
      'and none after the first that decides',
      'logs.size() == 0 && apps.size() == 1 && device.platform == "iOS"',
      ['device'],
      'not_matched',
    ],
    [
      'and none after the condition is true',
      'logs.size() == 9 || device.platform == "macOS"',
      ['device'],
      'matched',
    ],
    [
      'all of them while the result is unknown',
      'device.is_supervised && apps.size() == 1',
      ['device', 'apps'],
      'not_matched',
    ],
  ])('%s', async (_what, condition, expected, verdict) => {
    const { fetched, decisions } = await evaluate(rule(condition));
    expect(fetched).toEqual(expected);
    expect(decisions.map((decision) => decision.verdict)).toEqual([verdict]);
  });

  test('the facts of the steps only when the rule matched', async () => {
    const step = '{{ apps.size }} {{ group.name }}';
    expect((await evaluate(rule('device.platform == "iOS"', step))).fetched).toEqual(['device']);
    const { fetched } = await evaluate(rule('device.platform == "macOS"', step));
    expect(fetched[0]).toBe('device');
    expect([...fetched].sort()).toEqual(['apps', 'device', 'group']);
  });

  test('none for a rule for another type, or a disabled rule', async () => {
    const text = (on: string, more = ''): string =>
      `rules:\n  - id: r\n    on: "${on}"\n    if: device.id == 1\n${more}    do:\n      - log: { message: hi }\n`;
    expect(await evaluate(rules(text('device.unenrolled')))).toMatchObject({ decisions: [], fetched: [] });
    expect(await evaluate(rules(text('abm.*')))).toMatchObject({ decisions: [], fetched: [] });
    expect(await evaluate(rules(text('device.*', '    enabled: false\n')))).toMatchObject({
      decisions: [{ verdict: 'disabled', reason: 'the rule is disabled (enabled: false)' }],
      fetched: [],
    });
    expect((await evaluate(rules(text('device.*')))).fetched).toEqual(['device']);
  });
});

describe('reasons', () => {
  test.each<[string | undefined, string, string]>([
    [undefined, 'matched', 'the rule has no condition'],
    ['device.id == 1', 'matched', 'device.id == 1 is true'],
    [
      'device.platform == "iOS"',
      'not_matched',
      'device.platform == "iOS" is not true: device.platform is "macOS"',
    ],
    ['device.is_supervised', 'not_matched', 'device.is_supervised is not true: device.is_supervised is null'],
    ['1 / 0 == 1', 'error', '1 / 0 == 1: division by zero'],
  ])('%s', async (condition, verdict, reason) => {
    expect((await evaluate(rule(condition))).decisions).toEqual([{ verdict, reason }]);
  });

  test('a missing device matches no condition on a device', async () => {
    const { decisions } = await evaluate(rule('device.platform != "iOS"'), {}, { device: null });
    expect(decisions[0]?.verdict).toBe('not_matched');
    const gone = await evaluate(rule('device == null'), {}, { device: null });
    expect(gone.decisions[0]?.verdict).toBe('matched');
  });

  test('times compare as times', async () => {
    const { decisions } = await evaluate(rule('event.at - device.enrolled_at == duration("24h")'));
    expect(decisions[0]?.verdict).toBe('matched');
  });
});

describe('an unavailable fact', () => {
  const later = failure({ status: 503 });
  const never = failure({ status: 403 });

  test.each<[string, Error, string]>([
    ['a server error', later, 'waiting'],
    ['a rate limit', failure({ status: 429 }), 'waiting'],
    ['a refused key', failure({ status: 401 }), 'waiting'],
    ['a paused account', failure({ kind: 'paused', detail: 'paused' }), 'waiting'],
    ['no network', failure({ kind: 'network', detail: 'ECONNREFUSED' }), 'waiting'],
    ['a stop of the process', failure({ kind: 'stopped' }), 'waiting'],
    ['a missing permission', never, 'error'],
    ['a defect', new TypeError('x is not a function'), 'error'],
  ])('%s', async (_what, error, verdict) => {
    const { decisions, codes, cause } = await evaluate(rule('device.id == 1'), { device: error });
    expect(decisions).toEqual([{ verdict, reason: `device could not be looked up: ${error.message}` }]);
    expect(codes).toEqual([verdict === 'waiting' ? 'event/facts-unavailable' : 'event/rule-undecided']);
    expect(cause).toBe(verdict === 'waiting' ? error : undefined);
  });

  test('of a step delays the rule although its condition matched', async () => {
    const { decisions } = await evaluate(rule('event.data.n == 5', '{{ apps.size }}'), { apps: later });
    const reason = `apps could not be looked up: ${later.message}`;
    expect(decisions).toEqual([{ verdict: 'waiting', reason }]);
  });

  test('does not matter when another fact decides', async () => {
    const { decisions, fetched } = await evaluate(rule('apps.size() == 1 && device.platform == "iOS"'), {
      apps: later,
    });
    expect(decisions[0]?.verdict).toBe('not_matched');
    expect(fetched).toEqual(['device']);
  });

  test('leaves the other rules unaffected', async () => {
    const one = (id: string, condition: string): string =>
      `  - id: ${id}\n    on: device.enrolled\n    if: ${condition}\n    do:\n      - log: { message: hi }\n`;
    const { decisions } = await evaluate(
      rules(
        `rules:\n${one('a', 'apps.size() == 1')}${one('b', 'device.id == 1')}${one('c', 'group.id == 7')}${one('d', 'event.data.n == 6')}`,
      ),
      { apps: later, group: never },
    );
    expect(decisions.map((decision) => decision.verdict)).toEqual([
      'waiting',
      'matched',
      'error',
      'not_matched',
    ]);
  });
});
