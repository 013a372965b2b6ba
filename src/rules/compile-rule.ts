import { envReferencesIn } from '../config/env-reference.js';
import { didYouMean } from '../errors/did-you-mean.js';
import { compileCondition } from './cel/condition.js';
import type { Condition } from './cel/condition.js';
import { sharedCheckingEnvironment } from './cel/environment.js';
import { compileList } from './cel/list-expression.js';
import type { ListExpression } from './cel/list-expression.js';
import { checkApproval } from './check-approval.js';
import { RAISED, checkEdgeKeys, raisedShape } from './check-edge-keys.js';
import { checkEnvReferences } from './check-env-references.js';
import { checkEventData } from './check-event-data.js';
import { checkRecipients } from './check-recipients.js';
import { checkArgumentReferences, checkNamedReferences } from './check-references.js';
import { checkSchema } from './schema-issues.js';
import { compileTemplate, isTemplate } from './liquid/template.js';
import type { Template } from './liquid/template.js';
import type { TextPlace } from './liquid/text-place.js';
import { problemWithPattern } from './model/event-pattern.js';
import type { Path, Report } from './model/problem.js';
import type { RuleSource, StepSource } from './model/rule-schema.js';
import { templateKey } from './model/rule.js';
import type { Rule, Step } from './model/rule.js';
import { forEachString, member } from './model/values.js';
import { EVENT_SHAPE, LOOKUP } from './model/vocabulary.js';
import type { ActionSignature, Shape, Vocabulary } from './model/vocabulary.js';
import { unknownAction } from './parse-step.js';
import { shapesIn } from './scope.js';
import type { Scope } from './scope.js';

/** What every step leaves for later steps, whatever its action. */
const COMMON_OUTPUTS: Readonly<Record<string, Shape>> = { status: 'string', reason: 'string' };

/**
 * Compiles a rule: checks its expressions, templates and arguments, and collects the facts that it reads.
 *
 * @param place - The path of the rule in its file.
 * @param report - Receives every problem. The returned rule is usable only when there are none.
 * @param warn - Receives what is probably a mistake.
 */
export function compileRule(
  source: RuleSource,
  vocabulary: Vocabulary,
  place: Path,
  report: Report,
  warn: Report = () => undefined,
): Rule {
  // The type of a rule with a schedule is not written in the file.
  const eventTypes = source.schedule === undefined ? source.on : [];
  eventTypes.forEach((pattern, index) => {
    const message = problemWithPattern(pattern, vocabulary.eventTypes);
    // A single type has no index in the file; the position falls back to "on".
    if (message !== undefined)
      report({ code: 'rule/unknown-event-type', path: [...place, 'on', index], message });
  });
  source.accounts?.forEach((account, index) => {
    if (vocabulary.accounts.includes(account)) return;
    const message = `there is no account "${account}"${didYouMean(account, vocabulary.accounts)}`;
    report({ code: 'rule/unknown-account', path: [...place, 'accounts', index], message });
  });
  const accounts = source.accounts ?? vocabulary.accounts;
  const scope: Scope = { vocabulary, extraNames: {}, accounts, eventTypes, report, warn };
  const condition = compileIf(source.if, scope, [...place, 'if']);
  const key = source.concurrency?.key;
  const concurrencyKey =
    key === undefined ? undefined : compileText(key, scope, [...place, 'concurrency', 'key']);
  const onceKey =
    source.oncePer === undefined || source.oncePer === 'device'
      ? undefined
      : compileText(source.oncePer, scope, [...place, 'once_per']);
  if (source.oncePer !== undefined) checkOncePer(source.oncePer, [...place, 'once_per'], report);
  checkEdgeKeys(source, place, report);
  checkApproval(source.approve, source.do, scope, place);
  const compileSteps = (key: 'do' | 'on_clear', extraNames: Scope['extraNames']) => {
    const outputs: Record<string, Shape> = {};
    const sources = (key === 'do' ? source.do : source.onClear) ?? [];
    const compiled = sources.map((step, index) => {
      const steps: Shape = { fields: { ...outputs } };
      const stepPlace = [...place, key, index];
      const compiledStep = compileStep(step, { ...scope, extraNames: { ...extraNames, steps } }, stepPlace);
      checkAllowed(step, source, vocabulary, [...stepPlace, step.action], report);
      if (step.id !== undefined) {
        if (Object.hasOwn(outputs, step.id)) {
          const message = `two steps have the id "${step.id}"`;
          report({ code: 'rule/duplicate-id', path: [...stepPlace, 'id'], message });
        }
        outputs[step.id] = { fields: { ...COMMON_OUTPUTS, ...outputsOf(step, vocabulary) } };
      }
      return compiledStep;
    });
    return { compiled, outputs };
  };
  const { compiled: steps, outputs } = compileSteps('do', {});
  const { compiled: clearSteps } = compileSteps('on_clear', { [RAISED]: raisedShape(outputs) });
  const rule: Rule = {
    source,
    condition,
    concurrencyKey,
    conditionFacts: factsAmong(condition?.names ?? [], vocabulary),
    steps,
    clearSteps,
    onceKey,
    stepFacts: new Set([
      ...steps.flatMap((step) => [...step.facts]),
      ...factsAmong(
        [...(concurrencyKey?.names ?? []), ...(onceKey?.names ?? []), ...onceFacts(source)],
        vocabulary,
      ),
    ]),
  };
  checkDevice(rule, vocabulary, place, report);
  return rule;
}

/** The serial number of the device may be missing from the event. */
const onceFacts = ({ oncePer }: RuleSource): string[] => (oncePer === 'device' ? ['device'] : []);

/** The keys are stored and listed. */
function checkOncePer(text: string, path: Path, report: Report): void {
  const [name] = envReferencesIn(text);
  if (name === undefined) return;
  const message = `\${env:${name}} is not allowed in once_per: the text is stored, and "mdm-reflex once list" shows it`;
  report({ code: 'rule/env-misplaced', path, message });
}

/** A schedule without `for_each: devices` runs once per account and has no device. */
function checkDevice(
  { source, conditionFacts, steps }: Rule,
  vocabulary: Vocabulary,
  place: Path,
  report: Report,
): void {
  if (source.schedule === undefined || source.schedule.forEach !== undefined) return;
  const deviceFactIn = (facts: ReadonlySet<string>): string | undefined =>
    vocabulary.deviceFacts.find((fact) => facts.has(fact));
  const fix = 'the rule runs once per account, not per device: add for_each: devices to "on"';
  const code = 'rule/no-device';
  const inCondition = deviceFactIn(conditionFacts);
  if (inCondition !== undefined) {
    report({ code, path: [...place, 'if'], message: `there is no ${inCondition} here: ${fix}` });
  }
  if (source.oncePer === 'device')
    report({ code, path: [...place, 'once_per'], message: `there is no device here: ${fix}` });
  // One report is enough: the fix is the same for all of them.
  const index = steps.findIndex(
    ({ facts, source: { action } }) =>
      deviceFactIn(facts) !== undefined || actionNamed(action, vocabulary)?.onDevice === true,
  );
  const step = steps[index];
  if (step === undefined || inCondition !== undefined) return;
  const path = [...place, 'do', index, step.source.action];
  report({ code, path, atKey: true, message: `this step needs a device, and there is none: ${fix}` });
}

/** Destructive actions need `allow: [destructive]`, and no list may multiply them. */
function checkAllowed(
  { action, forEach }: StepSource,
  { allow }: RuleSource,
  vocabulary: Vocabulary,
  path: Path,
  report: Report,
): void {
  if (actionNamed(action, vocabulary)?.class !== 'destructive') return;
  const code = 'rule/not-allowed';
  if (forEach !== undefined) {
    const message = `${action} cannot be undone, so for_each is not allowed: the limit of ten per hour counts runs, not items`;
    report({ code, path, atKey: true, message });
  }
  if (allow.includes('destructive')) return;
  const message = `${action} cannot be undone: add "allow: [destructive]" to the rule if you mean it`;
  report({ code, path, atKey: true, message });
}

function compileStep(source: StepSource, outer: Scope, place: Path): Step {
  const { vocabulary, report } = outer;
  const forEach = compileForEach(source.forEach, outer, [...place, 'for_each']);
  // The items of an invalid list have no known fields.
  const item = source.forEach === undefined ? {} : { item: forEach?.itemShape ?? ('any' as const) };
  const scope: Scope = { ...outer, extraNames: { ...outer.extraNames, ...item } };
  const condition = compileIf(source.if, scope, [...place, 'if']);
  if (source.atMost !== undefined && source.forEach === undefined) {
    report({
      code: 'rule/invalid-step',
      path: [...place, 'at_most'],
      atKey: true,
      message: 'at_most needs a for_each, and this step has none',
    });
  }
  checkApproval(source.approve, [source], outer, place);
  const templates = new Map<string, Template>();
  const argumentsPlace = [...place, source.action];
  const action = actionNamed(source.action, vocabulary);
  if (action === undefined) {
    report(unknownAction(source.action, Object.keys(vocabulary.actions), argumentsPlace));
  } else {
    const isShorthand = ([name]: Path): boolean =>
      name === action.shorthand &&
      !['object', 'undefined'].includes(typeof member(source.args, String(name)));
    checkSchema(action.args, source.args, {
      place: argumentsPlace,
      keyKind: 'argument',
      report,
      // The file has no name for the argument of `wait: 10m`.
      nameOf: (path) => (path.length === 0 || isShorthand(path) ? source.action : path.join('.')),
    });
    checkArgumentReferences(action, source.args, argumentsPlace, scope);
    checkRecipients(action, source.args, argumentsPlace, scope);
  }
  const argumentConditions = new Map(
    (action?.conditions ?? []).flatMap((name) => {
      const text = member(source.args, name);
      if (typeof text !== 'string') return [];
      const compiled = compileIf(text, scope, [...argumentsPlace, name]);
      return compiled === undefined ? [] : [[name, compiled] as const];
    }),
  );
  const isCondition = (path: Path): boolean =>
    path.length === argumentsPlace.length + 1 && action?.conditions?.includes(String(path.at(-1))) === true;
  for (const [argument, value] of Object.entries(source.args)) {
    const textPlace = action?.placeOf?.(argument, source.args) ?? 'text';
    forEachString(value, [...argumentsPlace, argument], (text, path) => {
      if (isCondition(path)) return;
      checkEnvReferences(text, vocabulary, path, outer);
      if (!isTemplate(text)) return;
      const template = compileText(text, scope, path, textPlace);
      if (template !== undefined) templates.set(templateKey(textPlace, text), template);
    });
  }
  const names = [
    ...(condition?.names ?? []),
    ...(forEach?.names ?? []),
    ...[...templates.values()].flatMap((template) => [...template.names]),
  ];
  const facts = new Set([...factsAmong(names, vocabulary), ...(action?.facts ?? [])]);
  const lookNames = [...argumentConditions.values()].flatMap((compiled) => [...compiled.names]);
  const lookFacts = [...factsAmong(lookNames, vocabulary)].filter((name) => !facts.has(name));
  return {
    source,
    condition,
    forEach,
    templates,
    argumentConditions,
    facts: new Set([...facts, ...lookFacts]),
    lookFacts: new Set(lookFacts),
  };
}

function compileText(text: string, scope: Scope, path: Path, place?: TextPlace): Template | undefined {
  const template = compileTemplate(text, { event: EVENT_SHAPE, ...shapesIn(scope) }, place);
  if (Array.isArray(template)) {
    for (const problem of template) scope.report({ ...problem, path });
    return undefined;
  }
  checkNames(template, scope, path);
  return template;
}

function compileForEach(text: string | undefined, scope: Scope, path: Path): ListExpression | undefined {
  if (text === undefined) return undefined;
  const { vocabulary, extraNames, report } = scope;
  const list = compileList(text, sharedCheckingEnvironment(vocabulary.facts, extraNames), shapesIn(scope));
  if (!('message' in list)) return list;
  report({ ...list, path });
  return undefined;
}

function compileIf(text: string | undefined, scope: Scope, path: Path): Condition | undefined {
  if (text === undefined) return undefined;
  const { vocabulary, extraNames, report } = scope;
  const condition = compileCondition(
    text,
    sharedCheckingEnvironment(vocabulary.facts, extraNames),
    shapesIn(scope),
  );
  if ('message' in condition) {
    report({ ...condition, path });
    return undefined;
  }
  checkNames(condition, scope, path);
  return condition;
}

/** Checks the names that come from the account or from the webhook. */
function checkNames(
  { names, references, eventData }: Pick<Condition & Template, 'names' | 'references' | 'eventData'>,
  scope: Scope,
  path: Path,
): void {
  if (names.has(LOOKUP)) {
    const message = 'name the lookup after a dot: lookup.staff[device.serial_number]';
    scope.report({ code: 'rule/unknown-name', path, message });
  }
  checkNamedReferences(references, scope, path);
  checkEventData(eventData, scope, path);
}

/** What a step leaves for later steps; a step with `for_each` leaves the outputs of each item. */
function outputsOf({ action, forEach }: StepSource, vocabulary: Vocabulary): Readonly<Record<string, Shape>> {
  const outputs = actionNamed(action, vocabulary)?.outputs ?? {};
  if (forEach === undefined) return outputs;
  return { count: 'number', items: { list: { fields: { ...COMMON_OUTPUTS, ...outputs } } } };
}

/** By own name only: no action is called "constructor". */
function actionNamed(name: string, { actions }: Vocabulary): ActionSignature | undefined {
  return Object.hasOwn(actions, name) ? actions[name] : undefined;
}

function factsAmong(names: Iterable<string>, vocabulary: Vocabulary): Set<string> {
  // A lookup is a field of `lookup`, and a fact of its own.
  return new Set([...names].filter((name) => Object.hasOwn(vocabulary.facts, name.split('.')[0] ?? '')));
}
