import { didYouMean } from '../../config/nearest-name.js';
import { sharedCheckingEnvironment } from '../cel/environment.js';
import { checkAgainst, checkEnvReferences, fieldsOfSchema, forEachText } from '../checks.js';
import { compileCondition } from '../cel/condition.js';
import type { Condition } from '../cel/condition.js';
import { didYouMeanName } from '../aliases.js';
import { problemWithPattern } from './event-pattern.js';
import { compileList } from '../cel/list-expression.js';
import type { ListExpression } from '../cel/list-expression.js';
import type { Path, Report } from './problem.js';
import { checkNamed, checkReferences } from '../reference-checks.js';
import type { Scope } from '../reference-checks.js';
import type { RuleSource, StepSource } from './rule-schema.js';
import { compileTemplate, isTemplate } from '../liquid/template.js';
import type { Template } from '../liquid/template.js';
import { member } from './values.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { ActionSignature, Shape, Vocabulary } from './vocabulary.js';

/** A step ready to run. */
export interface Step {
  readonly source: StepSource;
  readonly condition: Condition | undefined;
  /** The list whose items it is done for. */
  readonly forEach: ListExpression | undefined;
  /** By the text as written. */
  readonly templates: ReadonlyMap<string, Template>;
  /** The facts that its condition, its templates and its action name. */
  readonly facts: ReadonlySet<string>;
}

/** A rule ready to be matched and run. */
export interface Rule {
  readonly source: RuleSource;
  readonly condition: Condition | undefined;
  /** Runs of the rule with the same text queue up, or take each other's place; undefined: those of one device. */
  readonly concurrencyKey: Template | undefined;
  /** The facts that its condition names: fetched before it is decided. */
  readonly conditionFacts: ReadonlySet<string>;
  readonly steps: readonly Step[];
  /** The facts that its steps and its concurrency key name: fetched only when it matches. */
  readonly stepFacts: ReadonlySet<string>;
}

/** What every step leaves behind, whatever its action. */
const COMMON_OUTPUTS: Readonly<Record<string, Shape>> = { status: 'string', reason: 'string' };

/**
 * Compiles a rule: checks its expressions, templates and arguments, and finds out which facts it needs.
 *
 * @param place - Where the rule stands in its file.
 * @param report - Told of every problem; the rule that comes back is only good when there was none.
 * @param warn - Told of what is only probably wrong.
 */
export function compileRule(
  source: RuleSource,
  vocabulary: Vocabulary,
  place: Path,
  report: Report,
  warn: Report = () => undefined,
): Rule {
  const problemsOfOn = source.schedule === undefined ? source.on : [];
  problemsOfOn.forEach((pattern, index) => {
    const problem =
      problemWithPattern(pattern, vocabulary.eventTypes) ?? lastPartOnly(pattern, vocabulary.eventTypes);
    // A single type that is no list has no place of its own: the file then points at "on".
    if (problem !== undefined) report({ path: [...place, 'on', index], message: problem });
  });
  source.accounts?.forEach((account, index) => {
    if (vocabulary.accounts.includes(account)) return;
    const message = `there is no account "${account}"${didYouMean(account, vocabulary.accounts)}`;
    report({ path: [...place, 'accounts', index], message });
  });
  const accounts = source.accounts ?? vocabulary.accounts;
  const types = source.schedule === undefined ? source.on : [];
  const scope: Scope = { vocabulary, others: {}, accounts, types, report, warn };
  const condition = compileIf(source.if, scope, [...place, 'if']);
  const concurrencyKey = compileKey(source.concurrency?.key, scope, [...place, 'concurrency', 'key']);
  const outputs: Record<string, Shape> = {};
  const steps = source.do.map((step, index) => {
    const steps: Shape = { fields: { ...outputs } };
    const compiled = compileStep(step, { ...scope, others: { steps } }, [...place, 'do', index]);
    checkAllowed(step, source, vocabulary, [...place, 'do', index, step.action], report);
    if (step.id !== undefined) {
      if (Object.hasOwn(outputs, step.id)) {
        report({ path: [...place, 'do', index, 'id'], message: `two steps are called "${step.id}"` });
      }
      outputs[step.id] = { fields: { ...COMMON_OUTPUTS, ...outputsOf(step, vocabulary) } };
    }
    return compiled;
  });
  const rule: Rule = {
    source,
    condition,
    concurrencyKey,
    conditionFacts: factsAmong(condition?.names ?? [], vocabulary),
    steps,
    stepFacts: new Set([
      ...steps.flatMap((step) => [...step.facts]),
      ...factsAmong(concurrencyKey?.names ?? [], vocabulary),
    ]),
  };
  checkDevice(rule, vocabulary, place, report);
  return rule;
}

/** `enrolled` is a type that nobody sends. */
function lastPartOnly(pattern: string, known: readonly string[]): string | undefined {
  const meant = known.find((type) => type.toLowerCase().endsWith(`.${pattern.toLowerCase()}`));
  return known.includes(pattern) || meant === undefined
    ? undefined
    : `unknown event type "${pattern}"; did you mean "${meant}"?`;
}

/** A rule that the clock runs once for the account has no device to look at. */
function checkDevice(
  { source, conditionFacts, steps }: Rule,
  vocabulary: Vocabulary,
  place: Path,
  report: Report,
): void {
  if (source.schedule === undefined || source.schedule.forEach !== undefined) return;
  const ofDevice = (facts: ReadonlySet<string>): string | undefined =>
    vocabulary.deviceFacts.find((fact) => facts.has(fact));
  const remedy = 'the rule runs once for the account, not for each device: add for_each: devices to "on"';
  const inCondition = ofDevice(conditionFacts);
  if (inCondition !== undefined) {
    report({ path: [...place, 'if'], message: `there is no ${inCondition} here: ${remedy}` });
  }
  // One of them says it for all.
  const index = steps.findIndex(
    ({ facts, source: { action } }) =>
      ofDevice(facts) !== undefined || actionNamed(action, vocabulary)?.onDevice === true,
  );
  const step = steps[index];
  if (step === undefined || inCondition !== undefined) return;
  const path = [...place, 'do', index, step.source.action];
  report({ path, atKey: true, message: `this step needs a device, and there is none: ${remedy}` });
}

/** What cannot be undone is done only by a rule that says so. */
function checkAllowed(
  { action, forEach }: StepSource,
  { allow }: RuleSource,
  vocabulary: Vocabulary,
  path: Path,
  report: Report,
): void {
  if (actionNamed(action, vocabulary)?.class !== 'destructive') return;
  if (forEach !== undefined) {
    const message = `${action} cannot be undone, so it cannot be done for each of a list: its ten an hour are counted by runs`;
    report({ path, atKey: true, message });
  }
  if (allow.includes('destructive')) return;
  report({
    path,
    atKey: true,
    message: `${action} cannot be undone: add "allow: [destructive]" to the rule if that is meant`,
  });
}

const shapesIn = ({ vocabulary, others }: Scope): Readonly<Record<string, Shape>> => ({
  ...vocabulary.facts,
  ...others,
});

function compileStep(source: StepSource, outer: Scope, place: Path): Step {
  const { vocabulary, report } = outer;
  const forEach = compileForEach(source.forEach, outer, [...place, 'for_each']);
  // When the list is wrong, what stands in an item is not known.
  const item = source.forEach === undefined ? {} : { item: forEach?.itemShape ?? ('any' as const) };
  const scope: Scope = { ...outer, others: { ...outer.others, ...item } };
  const condition = compileIf(source.if, scope, [...place, 'if']);
  if (source.atMost !== undefined && source.forEach === undefined) {
    report({
      path: [...place, 'at_most'],
      atKey: true,
      message: 'at_most bounds a for_each; this step has none',
    });
  }
  const templates = new Map<string, Template>();
  const argumentsPlace = [...place, source.action];
  const action = actionNamed(source.action, vocabulary);
  if (action === undefined) {
    report({
      path: argumentsPlace,
      atKey: true,
      message: `unknown action "${source.action}"${didYouMeanName(source.action, Object.keys(vocabulary.actions))}`,
    });
  } else {
    const isPlain = ([name]: Path): boolean =>
      name === action.shorthand &&
      !['object', 'undefined'].includes(typeof member(source.args, String(name)));
    checkAgainst(action.args, source.args, fieldsOfSchema(action.args), {
      place: argumentsPlace,
      what: 'argument',
      report,
      // `wait: 10m` has no name for its argument.
      nameOf: (path) => (path.length === 0 || isPlain(path) ? source.action : path.join('.')),
    });
    checkReferences(action, source.args, argumentsPlace, scope);
  }
  forEachText(source.args, argumentsPlace, (text, path) => {
    checkEnvReferences(text, vocabulary, path, outer);
    if (!isTemplate(text)) return;
    const template = compileText(text, scope, path);
    if (template !== undefined) templates.set(text, template);
  });
  const names = [
    ...(condition?.names ?? []),
    ...(forEach?.names ?? []),
    ...[...templates.values()].flatMap((template) => [...template.names]),
  ];
  return {
    source,
    condition,
    forEach,
    templates,
    facts: new Set([...factsAmong(names, vocabulary), ...(action?.facts ?? [])]),
  };
}

function compileText(text: string, scope: Scope, path: Path): Template | undefined {
  const template = compileTemplate(text, { event: EVENT_SHAPE, ...shapesIn(scope) });
  if (!Array.isArray(template)) {
    checkNamed(template, scope, path);
    return template;
  }
  for (const { offset, message } of template) scope.report({ path, offset, message });
  return undefined;
}

function compileKey(text: string | undefined, scope: Scope, path: Path): Template | undefined {
  return text === undefined ? undefined : compileText(text, scope, path);
}

function compileForEach(text: string | undefined, scope: Scope, path: Path): ListExpression | undefined {
  if (text === undefined) return undefined;
  const { vocabulary, others, report } = scope;
  const list = compileList(text, sharedCheckingEnvironment(vocabulary.facts, others), shapesIn(scope));
  if (!('message' in list)) return list;
  report({ path, offset: list.offset, message: list.message });
  return undefined;
}

/** What a step leaves behind: one that is done for each of a list, how often and what each time. */
function outputsOf({ action, forEach }: StepSource, vocabulary: Vocabulary): Readonly<Record<string, Shape>> {
  const outputs = actionNamed(action, vocabulary)?.outputs ?? {};
  if (forEach === undefined) return outputs;
  return { count: 'number', items: { list: { fields: { ...COMMON_OUTPUTS, ...outputs } } } };
}

/** By own name only: no action is called "constructor". */
function actionNamed(name: string, { actions }: Vocabulary): ActionSignature | undefined {
  return Object.hasOwn(actions, name) ? actions[name] : undefined;
}

function compileIf(text: string | undefined, scope: Scope, path: Path): Condition | undefined {
  if (text === undefined) return undefined;
  const { vocabulary, others, report } = scope;
  const condition = compileCondition(
    text,
    sharedCheckingEnvironment(vocabulary.facts, others),
    shapesIn(scope),
  );
  if ('message' in condition) {
    report({ path, offset: condition.offset, message: condition.message });
    return undefined;
  }
  checkNamed(condition, scope, path);
  return condition;
}

function factsAmong(names: Iterable<string>, vocabulary: Vocabulary): Set<string> {
  return new Set([...names].filter((name) => Object.hasOwn(vocabulary.facts, name)));
}
