import type { z } from 'zod';
import { didYouMeanName, resolveAlias } from './aliases.js';
import { reportIssues } from './check-schema.js';
import type { Path, Report } from './model/problem.js';
import { schedule } from './model/rule-schema.js';

/**
 * Reports and drops unknown keys, so that they do not hide other problems.
 *
 * @returns The remaining record, and the keys that the unknown ones were probably meant to be.
 */
export function withoutUnknownKeys(
  value: unknown,
  known: readonly string[],
  place: Path,
  report: Report,
): { value: unknown; intended: ReadonlySet<string> } {
  const intended = new Set<string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value, intended };
  // A key that is present already is not what the author meant by another one.
  const unused = known.filter((name) => !Object.hasOwn(value, name));
  const entries = Object.entries(value).filter(([key]) => {
    if (known.includes(key)) return true;
    report({
      code: 'rule/unknown-key',
      path: [...place, key],
      atKey: true,
      message: `unknown key "${key}"${didYouMeanName(key, known, unused)}`,
    });
    intended.add(resolveAlias(key, known, unused) ?? '');
    return false;
  });
  return { value: Object.fromEntries(entries), intended };
}

const KEYS_WITHIN: Readonly<Record<string, readonly string[]>> = {
  on: Object.keys(schedule.shape),
  limit: ['runs', 'per'],
  concurrency: ['key', 'mode'],
};

/** Reports the issues of a schema for rules, channels or rule files. */
export function reportRuleIssues(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  place: Path,
  report: Report,
): void {
  reportIssues(issues, value, (path) => KEYS_WITHIN[String(path.at(-1))] ?? [], {
    place,
    keyKind: 'key',
    report,
    nameOf: (path) => {
      const name = path.at(-1);
      return typeof name === 'string' ? name : '';
    },
  });
}
