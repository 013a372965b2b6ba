import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { secretsOf } from '../rules/model/rule-secrets.js';
import { ruleOfRun } from '../runs/steps-of-run.js';
import { preparedStep } from '../runs/perform-step.js';
import { OperatorError } from '../config/operator-error.js';
import { evaluateRules } from '../runs/evaluate-rules.js';
import type { Decision } from '../runs/evaluate-rules.js';
import { attributeValues } from '../enrichment/attributes.js';
import { FACTS } from '../enrichment/registry.js';
import { withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValues, eventValue, withNestedFacts } from '../enrichment/rule-values.js';
import type { Event } from '../events/envelope.js';
import { fingerprint } from '../events/fingerprint.js';
import { isScheduleType } from '../rules/model/event-pattern.js';
import type { Rule, Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { createRedaction } from '../telemetry/redaction.js';
import { LookupTable } from '../rules/lookups/lookup-table.js';
import type { CompiledRules } from '../rules/compile-rule-files.js';
import { lookupKey } from '../rules/model/lookup.js';
import type { LookupRecord, LookupSource } from '../rules/model/lookup.js';
import { member } from '../rules/model/values.js';
import { lookupOfFact } from '../rules/model/vocabulary.js';
import { readTestFile } from './rule-test-file.js';
import type { RuleTest } from './rule-test-file.js';

/** The result of rule tests. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  /** The text to print. */
  readonly output: string;
}

/**
 * `mdm-reflex test`: evaluates the rules for the events of tests as the service does, and compares the steps with the expected ones.
 * The facts come from the test, so nothing is looked up and nothing is sent.
 *
 * @param path - A test file, or a folder of test files.
 * @throws OperatorError with every problem of every file and of the tested rules.
 */
export async function testRules(env: NodeJS.ProcessEnv, path: string): Promise<TestReport> {
  const files = await filesAt(path);
  const read = await Promise.all(files.map((file) => readTestFile(file, env)));
  const problems = read.flatMap((found) => ('problems' in found ? found.problems : []));
  // Several test files may test the same broken rules.
  const byText = new Map(problems.map((problem) => [problem.text, problem]));
  if (byText.size > 0) throw new OperatorError([...byText.values()]);
  const lines: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const found of read) {
    if ('problems' in found) continue;
    const { file, tests, compiled, env: testEnv } = found;
    const { redact } = createRedaction(secretsOf(compiled, testEnv));
    lines.push(file);
    for (const test of tests) {
      const differences = await differencesOf(test, compiled, testEnv);
      if (differences.length === 0) passed += 1;
      else failed += 1;
      lines.push(
        `  ${differences.length === 0 ? '✔' : '✘'} ${test.name}`,
        ...differences.map((line) => redact(`      ${line}`)),
      );
    }
  }
  lines.push('', `${passed} passed, ${failed} failed`);
  return { passed, failed, output: lines.join('\n') };
}

async function filesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(path, name));
  } catch (error) {
    const message = `${path}: ${errorText(error)}; expected a test file or a folder of test files`;
    throw new OperatorError([{ code: 'rule-test/unreadable', message }]);
  }
  const message = `${path}: there is no .yaml file in this folder; docs/guides/rule-tests.md describes test files`;
  throw new OperatorError([{ code: 'rule-test/unreadable', message }]);
}

async function differencesOf(
  test: RuleTest,
  { rules, lookups }: Pick<CompiledRules, 'rules' | 'lookups'>,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const now = test.at === undefined ? new Date() : new Date(test.at);
  const event = eventOf(test, now);
  const factNamed = (name: string): unknown => factOf(test.facts, name, lookups);
  const facts = { fetch: (name: string) => Promise.resolve(factNamed(name)) };
  const decisions = await evaluateRules(event, rules, facts, () => now);
  const perRule = decisions.map((decision) =>
    differencesOfRule(decision, test, { event, env, now, factNamed }),
  );
  const notListening = Object.keys(test.expect)
    .filter((id) => !decisions.some(({ rule }) => rule.source.id === id))
    .map((id) => `${id}: expected to match, but the rule does not listen for ${event.type}`);
  return [...perRule.flat(), ...notListening];
}

function eventOf({ event: { type, data }, account }: RuleTest, now: Date): Event {
  const at = now.toISOString();
  const id = fingerprint(account, { type, at, data });
  // Rules ignore an event of such a type from any other source.
  const source = isScheduleType(type) ? 'schedule' : 'webhook';
  return { id, account, type, at, receivedAt: at, source, data };
}

/** What the rules of a test are evaluated with. */
interface TestContext {
  readonly event: Event;
  readonly env: NodeJS.ProcessEnv;
  readonly now: Date;
  readonly factNamed: (name: string) => unknown;
}

/** A fact of a test; null when the test does not have it. A lookup of a file has the rows of the file, unless the test has others. */
function factOf(
  facts: Readonly<Record<string, unknown>>,
  name: string,
  lookups: readonly LookupSource[],
): unknown {
  const lookup = lookupOfFact(name);
  if (lookup !== undefined) return lookupOf(lookup, facts, lookups);
  const given: unknown = Object.hasOwn(facts, name) ? facts[name] : defaultOf(name, facts);
  if (name === 'attributes') return attributeValues(given);
  if (name !== 'device' || given === null) return given;
  // The API returns null for unset fields, so fields that the test leaves out are null.
  const shape = FACTS['device']?.shape;
  const fields = typeof shape === 'object' && 'fields' in shape ? Object.keys(shape.fields) : [];
  const empty = Object.fromEntries(
    fields.filter((field) => field !== 'attributes').map((field) => [field, null]),
  );
  return { ...empty, ...Object(given) };
}

/** A test that gives the device group means that the device is in no other group. */
function defaultOf(name: string, { group }: Readonly<Record<string, unknown>>): unknown {
  return name === 'assignment_groups' && group !== undefined && group !== null ? [] : null;
}

function lookupOf(
  name: string,
  facts: Readonly<Record<string, unknown>>,
  lookups: readonly LookupSource[],
): LookupTable | null {
  const given = member(facts['lookup'], name);
  const source = lookups.find((one) => one.name === name);
  const isFile = source?.kind === 'file';
  if (given === undefined || given === null) return isFile ? new LookupTable(source.data) : null;
  const columns = isFile ? source.data.columns : {};
  const caseSensitive = isFile ? source.data.caseSensitive : source?.settings.caseSensitive === true;
  const rows = Object.entries(given).map(([key, values]: [string, unknown]): [string, LookupRecord] => [
    lookupKey(key, caseSensitive) ?? '',
    { key, values: recordOf(values) },
  ]);
  return new LookupTable({ columns, rows: new Map(rows), caseSensitive, version: 'test' });
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The differences between the steps of a rule and the expected ones. */
function differencesOfRule(
  { rule, verdict, reason, unknown }: Decision,
  test: RuleTest,
  context: TestContext,
): string[] {
  const { id } = rule.source;
  const expected = Object.hasOwn(test.expect, id) ? test.expect[id] : undefined;
  const edge = edgeOf({ rule, verdict, ...(unknown && { unknown }) }, test);
  if (edge === 'kept')
    return expected === undefined
      ? []
      : [`${id}: no match: ${reason}, and the device is raised already (when: becomes_true)`];
  if (edge === 'none' && verdict !== 'matched') {
    return expected === undefined && verdict !== 'error'
      ? []
      : [`${id}: ${verdict.replace('_', ' ')}: ${reason}`];
  }
  const clears = edge === 'clear' && rule.clearSteps.length > 0;
  if (edge === 'clear' && !clears)
    return expected === undefined ? [] : [`${id}: no match: the rule has no on_clear: ${reason}`];
  if (expected === undefined) return [`${id}: ${clears ? 'cleared' : 'matched'} unexpectedly: ${reason}`];
  const performed = ruleOfRun(rule, clears);
  const raised = clears ? raisedOf(test, context.now) : {};
  const actualSteps = performed.steps.flatMap((step) =>
    renderedSteps(step, performed, test, raised, context),
  );
  const differences = expected.flatMap((wanted, index) => {
    const entry = Object.entries(wanted)[0];
    const [action, args] = entry ?? ['', undefined];
    const actual = actualSteps[index];
    if (actual === undefined)
      return [`${id}: step ${index + 1}: expected ${show(action, args)}, got no step`];
    if (actual.action === action && covers(actual.args, args ?? {})) return [];
    return [
      `${id}: step ${index + 1}: expected ${show(action, args)}`,
      `${id}: step ${index + 1}:      got ${show(actual.action, actual.args)}`,
    ];
  });
  const more = actualSteps
    .slice(expected.length)
    .map(
      ({ action, args }, index) =>
        `${id}: step ${expected.length + index + 1}: unexpected: ${show(action, args)}`,
    );
  return [...differences, ...more];
}

/**
 * What the event means for a rule with `when`, on a device that is raised in the test. `none`: nothing, the verdict decides. An unknown
 * condition changes nothing.
 */
function edgeOf(
  { rule, verdict, unknown }: Pick<Decision, 'rule' | 'verdict' | 'unknown'>,
  { raised }: RuleTest,
): 'kept' | 'clear' | 'none' {
  if (rule.source.when === undefined || raised === undefined) return 'none';
  if (verdict === 'matched') return 'kept';
  return verdict === 'not_matched' && unknown !== true ? 'clear' : 'none';
}

/** What `on_clear` reads as `raised`. */
function raisedOf({ raised }: RuleTest, now: Date): Values {
  const outputs = Object.entries(raised?.steps ?? {}).map(([id, output]): [string, Values] => [
    id,
    { status: 'completed', reason: null, ...output },
  ]);
  return {
    raised: { at: raised?.at ?? now.toISOString(), event: 'raised', steps: Object.fromEntries(outputs) },
  };
}

/** The steps that would run, with rendered arguments. The outputs of earlier steps come from the test. */
function renderedSteps(
  step: Step,
  rule: Rule,
  test: RuleTest,
  raised: Values,
  { event, env, now, factNamed }: TestContext,
): { action: string; args: Record<string, unknown> }[] {
  const steps = Object.fromEntries(
    rule.source.do.flatMap(({ id }) =>
      id === undefined ? [] : [[id, { status: 'completed', reason: null, ...test.steps[id] }]],
    ),
  );
  // The record of the device tells whether an empty list is one that the device has not reported.
  const names = ['device', ...step.facts];
  const facts = Object.fromEntries(names.map((name) => [name, factNamed(name)]));
  const values: Values = withNestedFacts({ event: eventValue(event), ...facts, steps, ...raised });
  const { action } = step.source;
  const orError = (work: () => { action: string; args: Record<string, unknown> }[]) => {
    try {
      return work();
    } catch (error) {
      return [{ action, args: { error: errorText(error) } }];
    }
  };
  const render = (item: Values) =>
    orError(() => {
      const prepared = preparedStep(step, { ...values, ...item }, env, now);
      if (prepared.kind === 'skipped') return [];
      const missing = prepared.problems.map(({ argument, reason }) => `${argument}: ${reason}`);
      return [{ action, args: { ...prepared.args, ...(missing.length > 0 && { missing }) } }];
    });
  const { forEach } = step;
  if (forEach === undefined) return render({});
  const known = conditionValues(withoutPendingLists(values, false));
  return orError(() => forEach.items(known, now).flatMap((item) => render({ item })));
}

/** Whether the arguments contain all expected ones. A plain value matches any argument that has it. */
function covers(actual: Readonly<Record<string, unknown>>, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.values(actual).includes(expected);
  return Object.entries(expected).every(([name, value]) => isDeepStrictEqual(actual[name], value));
}

function show(action: string, args: unknown): string {
  return `${action}: ${JSON.stringify(args ?? {})}`;
}
