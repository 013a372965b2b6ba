import { didYouMeanName } from './aliases.js';
import { argumentsAsWritten } from './texts-as-written.js';
import type { TakeText } from './texts-as-written.js';
import { unknownKey } from './unknown-key.js';
import { adviceOnKey } from './key-advice.js';
import type { Path, Problem, Report } from './model/problem.js';
import { parseApproval } from './model/approval-schema.js';
import { STEP_KEYS } from './model/rule-schema.js';
import type { StepInFile, StepSource } from './model/rule-schema.js';
import type { Vocabulary } from './model/vocabulary.js';

/** The problem of an action that does not exist. */
export function unknownAction(name: string, known: readonly string[], path: Path): Problem {
  return {
    code: 'rule/unknown-action',
    path,
    atKey: true,
    message: `unknown action "${name}"${didYouMeanName(name, known)}`,
  };
}

/** Parses a step of a file. Returns undefined, and reports why, when the value is not a step. */
export function parseStep(
  inFile: StepInFile,
  { actions }: Vocabulary,
  place: Path,
  { report, takeText }: { readonly report: Report; readonly takeText: TakeText },
): StepSource | undefined {
  const otherKeys = Object.keys(inFile).filter((key) => !STEP_KEYS.includes(key));
  const known = otherKeys.filter((key) => Object.hasOwn(actions, key));
  // Beside exactly one known action, every other key is a misspelled key of the step.
  const unknown = known.length === 1 ? otherKeys.filter((key) => !known.includes(key)) : [];
  for (const key of unknown) {
    const hint =
      adviceOnKey(key, 'step') ??
      didYouMeanName(
        key,
        STEP_KEYS,
        STEP_KEYS.filter((name) => !Object.hasOwn(inFile, name)),
      );
    const belongs =
      inFile[known[0] ?? ''] === null ? `; indent it further if it belongs to ${known[0] ?? ''}` : '';
    report(unknownKey('key', [...place, key], ` beside ${known[0] ?? ''}${hint || belongs}`));
  }
  const [action, other] = known.length === 1 ? known : otherKeys;
  if (action === undefined) {
    report({
      code: 'rule/invalid-step',
      path: place,
      message: 'a step needs an action, such as "assign_device_group: { group: Laptops }"',
    });
    return undefined;
  }
  const advised = otherKeys.find(
    (key) => !Object.hasOwn(actions, key) && adviceOnKey(key, 'step') !== undefined,
  );
  if (known.length === 0 && advised !== undefined) {
    const advice = adviceOnKey(advised, 'step') ?? '';
    report({
      code: 'rule/invalid-step',
      path: [...place, advised],
      atKey: true,
      message: `there is no action "${advised}"${advice}`,
    });
    return undefined;
  }
  if (other !== undefined) {
    const hint = didYouMeanName(other, STEP_KEYS) || didYouMeanName(action, STEP_KEYS);
    report({
      code: 'rule/invalid-step',
      path: [...place, other],
      atKey: true,
      message: `a step has one action; this one has "${action}" and "${other}"${hint}`,
    });
    return undefined;
  }
  const signature = Object.hasOwn(actions, action) ? actions[action] : undefined;
  const inArguments = inFile[action] ?? {};
  const given =
    signature === undefined
      ? inArguments
      : argumentsAsWritten(signature, inArguments, [...place, action], takeText);
  const shorthand = signature?.shorthand;
  const args = typeof given !== 'object' && shorthand !== undefined ? { [shorthand]: given } : given;
  if (signature === undefined && (typeof args !== 'object' || Array.isArray(args))) {
    report(unknownAction(action, Object.keys(actions), [...place, action]));
    return undefined;
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    report({
      code: 'rule/invalid-step',
      path: [...place, action],
      message: `${action}: expected its arguments, such as ${signature?.example ?? '{ name: value }'}`,
    });
    return undefined;
  }
  return {
    action,
    args: { ...args },
    onError: inFile.on_error ?? 'stop',
    ...(inFile.id !== undefined && { id: inFile.id }),
    ...(inFile.if !== undefined && { if: inFile.if }),
    ...(inFile.timeout !== undefined && { timeoutMs: inFile.timeout }),
    ...(inFile.for_each !== undefined && { forEach: inFile.for_each }),
    ...(inFile.at_most !== undefined && { atMost: inFile.at_most }),
    ...(inFile.approve && { approve: parseApproval(inFile.approve) }),
  };
}
