import type { z } from 'zod';
import { reportIssues } from './schema-issues.js';
import type { Path, Report } from './model/problem.js';
import { approval } from './model/approval-schema.js';
import { schedule } from './model/rule-schema.js';

const KEYS_WITHIN: Readonly<Record<string, readonly string[]>> = {
  on: Object.keys(schedule.shape),
  limit: ['runs', 'per'],
  concurrency: ['key', 'mode'],
  approve: Object.keys(approval.shape),
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
