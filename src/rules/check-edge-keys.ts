import type { Path, Report } from './model/problem.js';
import type { RuleSource } from './model/rule-schema.js';
import type { Shape } from './model/vocabulary.js';

/** What the steps of `on_clear` call the run that raised the device. */
export const RAISED = 'raised';

/** The shape of `raised`, from the outputs of the steps of `do`. */
export function raisedShape(outputs: Readonly<Record<string, Shape>>): Shape {
  return { fields: { at: 'time', event: 'string', steps: { fields: outputs } } };
}

/** Reports `when` and `on_clear` where they cannot work. */
export function checkEdgeKeys(
  { when, onClear, schedule, if: condition, concurrency }: RuleSource,
  place: Path,
  report: Report,
): void {
  const code = 'rule/misplaced-key';
  if (when === undefined) {
    if (onClear === undefined) return;
    const message = 'on_clear needs "when: becomes_true": without it, the rule does not remember the device';
    report({ code, path: [...place, 'on_clear'], atKey: true, message });
    return;
  }
  const path = [...place, 'when'];
  if (schedule?.forEach === undefined) {
    const message =
      'when compares one sweep over the devices with the next: write "on: { schedule: …, for_each: devices }"';
    report({ code, path, atKey: true, message });
  }
  if (condition === undefined) {
    const message = 'when needs an "if": without a condition, nothing can become true';
    report({ code, path, atKey: true, message });
  }
  if (concurrency !== undefined) {
    const message =
      'concurrency does not work with when: the runs of a device always follow each other, so that on_clear finds the outputs of do';
    report({ code, path: [...place, 'concurrency'], atKey: true, message });
  }
}
