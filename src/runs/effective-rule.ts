import { canonicalJson } from '../events/fingerprint.js';
import type { RunJob } from '../queues/jobs.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import { isDestructive } from './rule-limits.js';
import { clearsOf, sourceOfRun } from './steps-of-run.js';

/**
 * The rule that a run follows: the rule as it was when the run was planned. A replay follows the current rule, if the steps up to the
 * last finished one have not changed.
 */
export function effectiveRule(
  { rule, replays = 0, steps, edge }: RunJob,
  current: RuleSource | undefined,
): RuleSource {
  if (replays === 0 || current === undefined) return rule;
  const finished = 1 + steps.findLastIndex(({ status }) => status === 'completed' || status === 'skipped');
  const firstSteps = (source: RuleSource) => sourceOfRun(source, clearsOf({ edge })).do.slice(0, finished);
  return isSame(firstSteps(current), firstSteps(rule)) ? current : rule;
}

/** What the current rule files say about a planned run. */
export type LiveRuleState =
  | { readonly kind: 'active'; readonly dryRun: boolean }
  /** The rule is in no rule file. */
  | { readonly kind: 'missing' }
  /** The current rule does not allow the run. */
  | { readonly kind: 'stopped'; readonly reason: string };

/**
 * Compares a planned run with the current rule. Who disables a rule, or makes it a dry run, also means the runs that wait. The stricter
 * of the planned and the current rule applies.
 *
 * @param current - The current rule with the id of the planned one.
 */
export function liveRuleStateOf(
  planned: RuleSource,
  current: RuleSource | undefined,
  account: string,
): LiveRuleState {
  if (current === undefined) return { kind: 'missing' };
  if (!current.enabled) return stopped('the rule was disabled after the run was planned (enabled: false)');
  if (current.accounts?.includes(account) === false)
    return stopped('the rule no longer applies to this account (accounts)');
  if (isDestructive(planned) && !current.allow.includes('destructive'))
    return stopped('the rule no longer allows destructive actions (allow: [destructive])');
  return { kind: 'active', dryRun: planned.mode === 'dry_run' || current.mode === 'dry_run' };
}

const stopped = (reason: string): LiveRuleState => ({ kind: 'stopped', reason });

/** Compares as canonical JSON, because the queue changes the order of keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a ?? null) === canonicalJson(b ?? null);
}
