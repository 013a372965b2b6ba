import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ACTIONS } from '../actions/registry.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { DEFAULT_ACCOUNT } from '../config/accounts.js';
import { didYouMean } from '../errors/did-you-mean.js';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { FACTS } from '../enrichment/registry.js';
import type { ErrorCode } from '../errors/registry.js';
import { problemText } from '../errors/user-problem.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { reportIssues } from '../rules/schema-issues.js';
import { compileRuleFiles } from '../rules/compile-rule-files.js';
import type { CompiledRules } from '../rules/compile-rule-files.js';
import { matchesType } from '../rules/model/event-pattern.js';
import { problemOfFile } from '../rules/model/problem.js';
import type { Path, Problem, RuleProblem } from '../rules/model/problem.js';
import type { StepSource } from '../rules/model/rule-schema.js';
import type { Rule } from '../rules/model/rule.js';
import { member, show } from '../rules/model/values.js';
import type { Shape } from '../rules/model/vocabulary.js';
import { argumentsAsWritten, factsAsWritten, withTextsAsWritten } from '../rules/texts-as-written.js';
import type { TakeText } from '../rules/texts-as-written.js';
import { parseYamlSource } from '../rules/yaml/yaml-source.js';
import type { YamlSource } from '../rules/yaml/yaml-source.js';
import { errorText } from '../telemetry/error-text.js';

const time = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-01-31T08:00:00Z' });
const record = z.record(z.string(), z.unknown(), 'expected names and values');

/** An expected step: its action, and the arguments to compare. */
const expectedStep = z.record(
  z.string(),
  z.unknown(),
  'expected a step, such as "run_script: { script: Say hi }"',
);

const ruleTest = z.strictObject({
  name: z.string('expected a name for the test'),
  at: time.optional(),
  account: z.string('expected the name of an account').default(DEFAULT_ACCOUNT),
  event: z.union(
    [
      z.string().transform((type) => ({ type, data: {} })),
      z.strictObject({ type: z.string('expected an event type'), data: record.default({}) }),
    ],
    'expected an event type, or { type, data }',
  ),
  facts: record.default({}),
  steps: z.record(z.string(), record, 'expected the outputs of steps, by their ids').default({}),
  raised: z
    .strictObject(
      {
        at: time.optional(),
        steps: z.record(z.string(), record, 'expected the outputs of steps, by their ids').default({}),
      },
      'expected the run of do that came before: { steps: { ticket: { json: { id: 7 } } } }',
    )
    .optional(),
  expect: z.record(
    z.string(),
    z.array(expectedStep),
    'expected the rules that match, each with its steps, such as { onboard: [log: { message: hi }] }',
  ),
});

const testFile = z.strictObject({
  rules: z.string('expected a rule file or a folder').optional(),
  env: z.record(z.string(), z.string(), 'expected names and texts').default({}),
  tests: z.array(ruleTest, 'expected a list of tests').min(1, 'expected at least one test'),
});

/** A test of rules. */
export type RuleTest = z.output<typeof ruleTest>;

/** A parsed test file, with the rules that it tests. */
export interface TestFile {
  readonly file: string;
  readonly tests: readonly RuleTest[];
  readonly compiled: CompiledRules;
  /** The environment of the tests. */
  readonly env: NodeJS.ProcessEnv;
}

const KEYS_WITHIN: Readonly<Record<string, readonly string[]>> = {
  event: ['type', 'data'],
  raised: ['at', 'steps'],
};

/** Reads a test file and the rules that it tests. Returns all problems of the file and of the rules, if there are any. */
export async function readTestFile(
  file: string,
  env: NodeJS.ProcessEnv,
): Promise<TestFile | { readonly problems: readonly RuleProblem[] }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const message = `${errorText(error)}; expected a file of rule tests`;
    return { problems: [problemOfFile({ code: 'rule-test/unreadable', message }, file)] };
  }
  const source = parseYamlSource(file, text);
  const { problems, locate } = source;
  if (problems.length > 0) return { problems };
  const value = testsAsWritten(source);
  if (Array.isArray(member(value, 'rules')) && member(value, 'tests') === undefined) {
    const message = `this file holds rules: check it with "mdm-reflex validate ${file}"; docs/guides/rule-tests.md describes test files`;
    return { problems: [problemOfFile({ code: 'rule-test/not-a-test-file', message }, file)] };
  }
  const parsed = testFile.safeParse(value);
  const found: Problem[] = [];
  const report = (problem: Problem): void => void found.push(problem);
  if (!parsed.success) {
    const knownAt = (path: Path): readonly string[] =>
      path.length === 0
        ? Object.keys(testFile.shape)
        : (KEYS_WITHIN[String(path.at(-1))] ?? Object.keys(ruleTest.shape));
    reportIssues(parsed.error.issues, value, knownAt, {
      place: [],
      keyKind: 'key',
      report,
      nameOf: (path) => path.findLast((part) => typeof part === 'string') ?? '',
    });
    return { problems: locate(found) };
  }
  const { rules: rulesPath, env: ownEnv, tests } = parsed.data;
  const testEnv = { ...env, ...ownEnv };
  const accounts = new Set([DEFAULT_ACCOUNT, ...tests.map(({ account }) => account)]);
  let compiled: CompiledRules;
  try {
    const path =
      rulesPath === undefined ? readSettings(env, []).RULES_PATH : resolve(dirname(file), rulesPath);
    compiled = compileRuleFiles(await readRuleFiles(path), serviceVocabulary(testEnv, accounts));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return {
      problems: error.problems.map((problem) => ({
        ...problem,
        file,
        text: `${file}: rules: ${problemText(problem)}`,
      })),
    };
  }
  tests.forEach((test, index) => {
    for (const { code, path, message } of problemsWithTest(test, compiled))
      report({ code, path: ['tests', index, ...path], atKey: true, message });
  });
  const written = tests.map((test, index) => ({
    ...test,
    steps: outputsAsWritten(test.steps, compiled.rules, ['tests', index, 'steps'], source.takeText),
  }));
  const all = [...compiled.problems, ...locate(found), ...source.lostForms()];
  return all.length > 0 ? { problems: all } : { file, tests: written, compiled, env: testEnv };
}

/** The tests with every text as the file has it: a serial number `000123` keeps its zeros. */
function testsAsWritten({ value, takeText }: YamlSource): unknown {
  const written = withTextsAsWritten(testFile, value, [], takeText);
  const parsed = testFile.safeParse(written);
  if (!parsed.success) return written;
  const tests = parsed.data.tests.map(({ facts, expect, ...test }, index) => {
    const place = ['tests', index];
    return {
      ...test,
      facts: factsAsWritten(facts, { fields: FACT_SHAPES }, [...place, 'facts'], takeText),
      expect: Object.fromEntries(
        Object.entries(expect).map(([rule, expected]) => [
          rule,
          expected.map((step, position) =>
            stepAsWritten(step, [...place, 'expect', rule, position], takeText),
          ),
        ]),
      ),
    };
  });
  return { ...parsed.data, tests };
}

const FACT_SHAPES = Object.fromEntries(Object.entries(FACTS).map(([name, { shape }]) => [name, shape]));

/** The outputs that a test gives to steps. Only the rules tell which output is a text: `status_code` of a script is one. */
function outputsAsWritten(
  steps: RuleTest['steps'],
  rules: readonly Rule[],
  place: Path,
  takeText: TakeText,
): RuleTest['steps'] {
  const all = rules.flatMap(({ source }) => source.do);
  return Object.fromEntries(
    Object.entries(steps).map(([id, given]) => {
      const step = all.find((one) => one.id === id);
      const outputs = step === undefined ? {} : (ACTIONS[step.action]?.outputs ?? {});
      const fields: Record<string, Shape> =
        step?.forEach === undefined ? { ...outputs } : { items: { list: { fields: { ...outputs } } } };
      const written = factsAsWritten(given, { fields }, [...place, id], takeText);
      return [id, record.parse(written)];
    }),
  );
}

function stepAsWritten(step: z.output<typeof expectedStep>, place: Path, takeText: TakeText): unknown {
  return Object.fromEntries(
    Object.entries(step).map(([name, args]) => {
      const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
      return [
        name,
        action === undefined ? args : argumentsAsWritten(action, args, [...place, name], takeText),
      ];
    }),
  );
}

/** Finds misspelled names: with one, a test could pass without testing anything. */
function problemsWithTest(
  { event, facts, steps, raised, expect }: RuleTest,
  { rules, facts: shapes }: Pick<CompiledRules, 'rules' | 'facts'>,
): Problem[] {
  const ids = rules.map(({ source }) => source.id);
  const unknownRules = Object.keys(expect)
    .filter((id) => !ids.includes(id))
    .map((id): Problem => ({
      code: 'rule-test/unknown-rule',
      path: ['expect', id],
      message: `there is no rule "${id}"${didYouMean(id, ids)}`,
    }));
  return [
    ...problemsWithType(event.type, rules),
    ...problemsWithFacts(facts, shapes),
    ...problemsWithSteps(
      ['steps'],
      steps,
      rules.flatMap(({ source }) => [...source.do, ...(source.onClear ?? [])]),
    ),
    ...problemsWithSteps(
      ['raised', 'steps'],
      raised?.steps ?? {},
      rules.flatMap(({ source }) => (source.when === undefined ? [] : source.do)),
    ),
    ...unknownRules,
  ];
}

function problemsWithType(type: string, rules: readonly Rule[]): Problem[] {
  const patterns = rules.flatMap(({ source }) => source.on);
  const byName = patterns.filter((pattern) => !pattern.includes('*'));
  const known = [...KNOWN_TYPES, ...byName];
  if (known.includes(type) || patterns.some((pattern) => pattern !== '*' && matchesType(pattern, type)))
    return [];
  const hint = didYouMean(type, known);
  const message = `unknown event type "${type}"${hint}`;
  return hint === '' ? [] : [{ code: 'rule/unknown-event-type', path: ['event'], message }];
}

function problemsWithSteps(
  place: Path,
  given: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  steps: readonly StepSource[],
): Problem[] {
  const code = 'rule-test/unknown-step';
  const ids = steps.flatMap(({ id }) => id ?? []);
  return Object.entries(given).flatMap(([id, outputs]): Problem[] => {
    const named = steps.filter((step) => step.id === id);
    if (named.length === 0)
      return [{ code, path: [...place, id], message: `no step has the id "${id}"${didYouMean(id, ids)}` }];
    const known = named.flatMap(({ action, forEach }) =>
      forEach === undefined ? Object.keys(ACTIONS[action]?.outputs ?? {}) : ['count', 'items'],
    );
    return Object.keys(outputs)
      .filter((name) => !['status', 'reason', ...known].includes(name))
      .map((name) => ({
        code,
        path: [...place, id, name],
        message: `the step "${id}" has no output "${name}"${didYouMean(name, known)}`,
      }));
  });
}

function problemsWithFacts(
  facts: Readonly<Record<string, unknown>>,
  shapes: Readonly<Record<string, Shape>>,
): Problem[] {
  const code: ErrorCode = 'rule-test/invalid-fact';
  const check = (path: Path, value: unknown, shape: Shape): Problem[] => {
    const name = path.join('.');
    if (value === null || value === undefined || typeof shape === 'string' || 'mapOf' in shape) return [];
    if ('oneOf' in shape) {
      if (typeof value === 'string' && shape.oneOf.includes(value)) return [];
      const given = show(value);
      return [{ code, path, message: `${name} is never ${given}${didYouMean(given, shape.oneOf)}` }];
    }
    if ('list' in shape) {
      if (!Array.isArray(value)) return [{ code, path, message: `${name}: expected a list` }];
      return value.flatMap((item, index) => check([...path, index], item, shape.list));
    }
    if (typeof value !== 'object' || Array.isArray(value))
      return [{ code, path, message: `${name}: expected names and values` }];
    if ('tableOf' in shape)
      return Object.entries(value).flatMap(([key, row]) => check([...path, key], row, shape.tableOf));
    return Object.entries(value).flatMap(([key, inner]) => {
      const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
      if (field !== undefined) return check([...path, key], inner, field);
      const hint = didYouMean(key, Object.keys(shape.fields));
      return [{ code, path: [...path, key], message: `${name}: there is no "${key}"${hint}` }];
    });
  };
  return check(['facts'], facts, { fields: shapes });
}
