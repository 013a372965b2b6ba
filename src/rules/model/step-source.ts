import { didYouMeanName } from '../aliases.js';
import type { Path, Report } from './problem.js';
import { STEP_KEYS } from './rule-schema.js';
import type { StepInFile, StepSource } from './rule-schema.js';
import type { Vocabulary } from './vocabulary.js';

/** A step of a file in our form; undefined when it is none, which is reported. */
export function stepFrom(
  inFile: StepInFile,
  { actions }: Vocabulary,
  place: Path,
  report: Report,
): StepSource | undefined {
  const named = Object.keys(inFile).filter((key) => !STEP_KEYS.includes(key));
  const known = named.filter((key) => Object.hasOwn(actions, key));
  // Beside one action that there is, everything else is a misspelt key of the step.
  const extra = known.length === 1 ? named.filter((key) => !known.includes(key)) : [];
  for (const key of extra) {
    const hint = didYouMeanName(
      key,
      STEP_KEYS,
      STEP_KEYS.filter((name) => !Object.hasOwn(inFile, name)),
    );
    const belongs =
      inFile[known[0] ?? ''] === null ? `; indent it further if it belongs to ${known[0] ?? ''}` : '';
    report({
      path: [...place, key],
      atKey: true,
      message: `unknown key "${key}" beside ${known[0] ?? ''}${hint || belongs}`,
    });
  }
  const [action, other] = known.length === 1 ? known : named;
  if (action === undefined) {
    report({
      path: place,
      message: 'a step needs an action, such as "assign_device_group: { group: Laptops }"',
    });
    return undefined;
  }
  if (other !== undefined) {
    const hint = didYouMeanName(other, STEP_KEYS) || didYouMeanName(action, STEP_KEYS);
    report({
      path: [...place, other],
      atKey: true,
      message: `a step has one action, this one has "${action}" and "${other}"${hint}`,
    });
    return undefined;
  }
  const given = inFile[action] ?? {};
  const shorthand = Object.hasOwn(actions, action) ? actions[action]?.shorthand : undefined;
  const args = typeof given !== 'object' && shorthand !== undefined ? { [shorthand]: given } : given;
  if (typeof args !== 'object' || Array.isArray(args)) {
    const example = Object.hasOwn(actions, action) ? actions[action]?.example : undefined;
    report({
      path: [...place, action],
      message: `${action}: expected its arguments, such as ${example ?? '{ name: value }'}`,
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
  };
}
