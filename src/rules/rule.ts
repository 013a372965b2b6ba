import { didYouMean } from '../config/nearest-name.js';
import { envReferencesIn } from '../config/env-reference.js';
import { checkingEnvironment } from './cel-environment.js';
import { compileCondition } from './condition.js';
import type { Condition } from './condition.js';
import { problemWithPattern } from './event-pattern.js';
import type { Path, Report } from './problem.js';
import type { RuleSource, StepSource } from './rule-schema.js';
import { compileTemplate, isTemplate } from './template.js';
import type { Template } from './template.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { ActionSignature, Shape, Vocabulary } from './vocabulary.js';

/** A step ready to run. */
export interface Step {
  readonly source: StepSource;
  readonly condition: Condition | undefined;
  /** By the text as written. */
  readonly templates: ReadonlyMap<string, Template>;
  /** The facts that its condition, its templates and its action name. */
  readonly facts: ReadonlySet<string>;
}

/** A rule ready to be matched and run. */
export interface Rule {
  readonly source: RuleSource;
  readonly condition: Condition | undefined;
  /** The facts that its condition names: fetched before it is decided. */
  readonly conditionFacts: ReadonlySet<string>;
  readonly steps: readonly Step[];
  /** The facts that its steps name: fetched only when it matches. */
  readonly stepFacts: ReadonlySet<string>;
}

/** What every step leaves behind, whatever its action. */
const COMMON_OUTPUTS: Readonly<Record<string, Shape>> = { status: 'string', reason: 'string' };

/**
 * Compiles a rule: checks its expressions, templates and arguments, and finds out which facts it needs.
 *
 * @param place - Where the rule stands in its file.
 * @param report - Told of every problem; the rule that comes back is only good when there was none.
 */
export function compileRule(source: RuleSource, vocabulary: Vocabulary, place: Path, report: Report): Rule {
  source.on.forEach((pattern, index) => {
    const problem = problemWithPattern(pattern, vocabulary.eventTypes);
    // A single type that is no list has no place of its own: the file then points at "on".
    if (problem !== undefined) report({ path: [...place, 'on', index], message: problem });
  });
  source.accounts?.forEach((account, index) => {
    if (vocabulary.accounts.includes(account)) return;
    const message = `there is no account "${account}"${didYouMean(account, vocabulary.accounts)}`;
    report({ path: [...place, 'accounts', index], message });
  });
  const condition = compileIf(source.if, vocabulary.facts, [...place, 'if'], report);
  const outputs: Record<string, Shape> = {};
  const steps = source.do.map((step, index) => {
    const compiled = compileStep(step, vocabulary, outputs, [...place, 'do', index], report);
    checkAllowed(step, source, vocabulary, [...place, 'do', index, step.action], report);
    if (step.id !== undefined) {
      if (Object.hasOwn(outputs, step.id)) {
        report({ path: [...place, 'do', index, 'id'], message: `two steps are called "${step.id}"` });
      }
      outputs[step.id] = { fields: { ...COMMON_OUTPUTS, ...actionNamed(step.action, vocabulary)?.outputs } };
    }
    return compiled;
  });
  return {
    source,
    condition,
    conditionFacts: factsAmong(condition?.names ?? [], vocabulary),
    steps,
    stepFacts: new Set(steps.flatMap((step) => [...step.facts])),
  };
}

/** What cannot be undone is done only by a rule that says so. */
function checkAllowed(
  { action }: StepSource,
  { allow }: RuleSource,
  vocabulary: Vocabulary,
  path: Path,
  report: Report,
): void {
  if (actionNamed(action, vocabulary)?.class !== 'destructive' || allow.includes('destructive')) return;
  report({
    path,
    atKey: true,
    message: `${action} cannot be undone: add "allow: [destructive]" to the rule if that is meant`,
  });
}

function compileStep(
  source: StepSource,
  vocabulary: Vocabulary,
  outputs: Readonly<Record<string, Shape>>,
  place: Path,
  report: Report,
): Step {
  const shapes: Record<string, Shape> = { ...vocabulary.facts, steps: { fields: { ...outputs } } };
  const condition = compileIf(source.if, shapes, [...place, 'if'], report);
  const templates = new Map<string, Template>();
  const argumentsPlace = [...place, source.action];
  const action = actionNamed(source.action, vocabulary);
  if (action === undefined) {
    report({
      path: argumentsPlace,
      atKey: true,
      message: `unknown action "${source.action}"${didYouMean(source.action, Object.keys(vocabulary.actions))}`,
    });
  } else {
    checkArguments(action, source.args, argumentsPlace, report);
  }
  forEachText(source.args, argumentsPlace, (text, path) => {
    checkEnvReferences(text, vocabulary, path, report);
    if (!isTemplate(text)) return;
    const template = compileTemplate(text, { event: EVENT_SHAPE, ...shapes });
    if (Array.isArray(template))
      for (const { offset, message } of template) report({ path, offset, message });
    else templates.set(text, template);
  });
  const names = [
    ...(condition?.names ?? []),
    ...[...templates.values()].flatMap((template) => [...template.names]),
  ];
  return {
    source,
    condition,
    templates,
    facts: new Set([...factsAmong(names, vocabulary), ...(action?.facts ?? [])]),
  };
}

/** By own name only: no action is called "constructor". */
function actionNamed(name: string, { actions }: Vocabulary): ActionSignature | undefined {
  return Object.hasOwn(actions, name) ? actions[name] : undefined;
}

function compileIf(
  text: string | undefined,
  shapes: Readonly<Record<string, Shape>>,
  path: Path,
  report: Report,
): Condition | undefined {
  if (text === undefined) return undefined;
  const condition = compileCondition(text, checkingEnvironment(shapes), shapes);
  if (!('message' in condition)) return condition;
  report({ path, offset: condition.offset, message: condition.message });
  return undefined;
}

function checkArguments(
  action: ActionSignature,
  args: Readonly<Record<string, unknown>>,
  place: Path,
  report: Report,
): void {
  const parsed = action.args.safeParse(args);
  for (const issue of parsed.error?.issues ?? []) {
    const path = [...place, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        report({
          path: [...path, key],
          atKey: true,
          message: `unknown argument "${key}"${didYouMean(key, argumentNames(action))}`,
        });
      }
    } else {
      report({ path, message: `${issue.path.join('.') || 'arguments'}: ${issue.message}` });
    }
  }
}

function argumentNames(action: ActionSignature): string[] {
  return 'shape' in action.args && typeof action.args.shape === 'object' && action.args.shape !== null
    ? Object.keys(action.args.shape)
    : [];
}

function checkEnvReferences(text: string, vocabulary: Vocabulary, path: Path, report: Report): void {
  for (const name of new Set(envReferencesIn(text))) {
    if (!vocabulary.isEnvSet(name)) report({ path, message: `the environment variable ${name} is not set` });
  }
}

function factsAmong(names: Iterable<string>, vocabulary: Vocabulary): Set<string> {
  return new Set([...names].filter((name) => Object.hasOwn(vocabulary.facts, name)));
}

function forEachText(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) value.forEach((item, index) => forEachText(item, [...path, index], visit));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) forEachText(member, [...path, key], visit);
  }
}
