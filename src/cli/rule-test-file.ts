import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ACTIONS } from '../actions/registry.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { DEFAULT_ACCOUNT } from '../config/accounts.js';
import { didYouMean } from '../config/nearest-name.js';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { FACTS } from '../enrichment/registry.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { reportIssues } from '../rules/checks.js';
import { matchesType } from '../rules/model/event-pattern.js';
import type { Problem } from '../rules/model/problem.js';
import { compileRuleFiles } from '../rules/rule-file.js';
import type { CompiledRules } from '../rules/rule-file.js';
import type { Rule } from '../rules/model/rule.js';
import { member, show } from '../rules/model/values.js';
import type { Shape } from '../rules/model/vocabulary.js';
import { parseYamlSource } from '../rules/yaml/yaml-source.js';
import { errorText } from '../telemetry/error-text.js';

const time = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-01-31T08:00:00Z' });
const named = z.record(z.string(), z.unknown(), 'expected names and values');

/** A step that is expected: its action, and the arguments that matter. */
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
      z.strictObject({ type: z.string('expected an event type'), data: named.default({}) }),
    ],
    'expected an event type, or { type, data }',
  ),
  facts: named.default({}),
  steps: z.record(z.string(), named, 'expected what steps leave behind, by their ids').default({}),
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

/** A file of tests, with the rules that they are about. */
export interface TestFile {
  readonly file: string;
  readonly tests: readonly RuleTest[];
  readonly compiled: CompiledRules;
  /** The environment of the tests. */
  readonly env: NodeJS.ProcessEnv;
}

const KEYS_WITHIN: Readonly<Record<string, readonly string[]>> = {
  event: ['type', 'data'],
};

/** Reads a file of tests and the rules that it is about; everything that is wrong with it is told. */
export async function readTests(
  file: string,
  env: NodeJS.ProcessEnv,
): Promise<TestFile | { readonly problems: readonly string[] }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { problems: [`${file}: ${errorText(error)}; expected a file of tests`] };
  }
  const { value, problems, describe } = parseYamlSource(file, text);
  if (problems.length > 0) return { problems };
  if (Array.isArray(member(value, 'rules')) && member(value, 'tests') === undefined) {
    const message = `${file} is a file of rules: "mdm-reflex validate ${file}" checks it; docs/rule-tests.md shows what tests of them look like`;
    return { problems: [message] };
  }
  const parsed = testFile.safeParse(value);
  const found: Problem[] = [];
  const report = (problem: Problem): void => void found.push(problem);
  if (!parsed.success) {
    const knownAt = (path: readonly (string | number)[]): readonly string[] =>
      path.length === 0
        ? Object.keys(testFile.shape)
        : (KEYS_WITHIN[String(path.at(-1))] ?? Object.keys(ruleTest.shape));
    reportIssues(parsed.error.issues, value, knownAt, {
      place: [],
      what: 'key',
      report,
      nameOf: (path) => path.findLast((part) => typeof part === 'string') ?? '',
    });
    return { problems: describe(found) };
  }
  const { rules: about, env: own, tests } = parsed.data;
  const testEnv = { ...env, ...own };
  const accounts = new Set([DEFAULT_ACCOUNT, ...tests.map(({ account }) => account)]);
  let compiled: CompiledRules;
  try {
    const path = about === undefined ? readSettings(env, []).RULES_PATH : resolve(dirname(file), about);
    compiled = compileRuleFiles(await readRuleFiles(path), serviceVocabulary(testEnv, accounts));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { problems: error.lines.map((line) => `${file}: rules: ${line}`) };
  }
  tests.forEach((test, index) => {
    for (const { path, message } of problemsWithTest(test, compiled.rules))
      report({ path: ['tests', index, ...path], atKey: true, message });
  });
  const wrong = [...compiled.problems, ...describe(found)];
  return wrong.length > 0 ? { problems: wrong } : { file, tests, compiled, env: testEnv };
}

/** Anything that is misspelt would make a test pass that says nothing. */
function problemsWithTest({ event, facts, steps, expect }: RuleTest, rules: readonly Rule[]): Problem[] {
  const ids = rules.map(({ source }) => source.id);
  const unknownRules = Object.keys(expect)
    .filter((id) => !ids.includes(id))
    .map((id) => ({ path: ['expect', id], message: `there is no rule "${id}"${didYouMean(id, ids)}` }));
  return [
    ...problemsWithType(event.type, rules),
    ...problemsWithFacts(facts),
    ...problemsWithSteps(steps, rules),
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
  return hint === '' ? [] : [{ path: ['event'], message: `unknown event type "${type}"${hint}` }];
}

function problemsWithSteps(
  given: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  rules: readonly Rule[],
): Problem[] {
  const steps = rules.flatMap(({ source }) => source.do);
  const ids = steps.flatMap(({ id }) => id ?? []);
  return Object.entries(given).flatMap(([id, outputs]): Problem[] => {
    const named = steps.filter((step) => step.id === id);
    if (named.length === 0)
      return [{ path: ['steps', id], message: `no step is called "${id}"${didYouMean(id, ids)}` }];
    const known = named.flatMap(({ action, forEach }) =>
      forEach === undefined ? Object.keys(ACTIONS[action]?.outputs ?? {}) : ['count', 'items'],
    );
    return Object.keys(outputs)
      .filter((name) => !['status', 'reason', ...known].includes(name))
      .map((name) => ({
        path: ['steps', id, name],
        message: `the step "${id}" leaves no "${name}" behind${didYouMean(name, known)}`,
      }));
  });
}

function problemsWithFacts(facts: Readonly<Record<string, unknown>>): Problem[] {
  const shapes = Object.fromEntries(Object.entries(FACTS).map(([name, { shape }]) => [name, shape]));
  const check = (path: readonly (string | number)[], value: unknown, shape: Shape): Problem[] => {
    const called = path.join('.');
    if (value === null || value === undefined || typeof shape === 'string' || 'mapOf' in shape) return [];
    if ('oneOf' in shape) {
      if (typeof value === 'string' && shape.oneOf.includes(value)) return [];
      const given = show(value);
      return [{ path, message: `${called} is never ${given}${didYouMean(given, shape.oneOf)}` }];
    }
    if ('list' in shape) {
      if (!Array.isArray(value)) return [{ path, message: `${called}: expected a list` }];
      return value.flatMap((item, index) => check([...path, index], item, shape.list));
    }
    if (typeof value !== 'object' || Array.isArray(value))
      return [{ path, message: `${called}: expected names and values` }];
    return Object.entries(value).flatMap(([name, inner]) => {
      const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
      if (field !== undefined) return check([...path, name], inner, field);
      const hint = didYouMean(name, Object.keys(shape.fields));
      return [{ path: [...path, name], message: `${called}: there is no "${name}"${hint}` }];
    });
  };
  return check(['facts'], facts, { fields: shapes });
}
