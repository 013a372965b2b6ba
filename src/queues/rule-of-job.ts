import { z } from 'zod';
import { ruleSource } from '../rules/model/rule-schema.js';
import type { RuleSource } from '../rules/model/rule-schema.js';

/** Enough for all rules of a service and their earlier versions. */
const MAX_KNOWN = 1000;

/** The rules of jobs by their JSON. */
const known = new Map<string, RuleSource>();

/** The rule in a job. Jobs with the same rule share one parsed rule, which nobody changes: most runs are of a few rules. */
export const ruleOfJob = z.unknown().transform((value, context): RuleSource => {
  const json = JSON.stringify(value ?? null);
  const before = known.get(json);
  if (before !== undefined) return before;
  const parsed = ruleSource.safeParse(value);
  if (!parsed.success) {
    for (const { message, path } of parsed.error.issues)
      context.issues.push({ code: 'custom', message, path, input: value });
    return z.NEVER;
  }
  const [oldest] = known.keys();
  if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(json, parsed.data);
  return parsed.data;
});
