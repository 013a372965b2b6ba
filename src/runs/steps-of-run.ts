import type { RunJob } from '../queues/jobs.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { Rule } from '../rules/model/rule.js';

/** Whether a run performs `on_clear`. */
export function clearsOf({ edge }: Pick<RunJob, 'edge'>): boolean {
  return edge?.kind === 'clear';
}

/** The rule as a run performs it: a run that clears performs `on_clear` in place of `do`. */
export function sourceOfRun(source: RuleSource, clears: boolean): RuleSource {
  return clears ? { ...source, do: source.onClear ?? [] } : source;
}

/** {@link sourceOfRun} of a compiled rule. */
export function ruleOfRun(rule: Rule, clears: boolean): Rule {
  return clears ? { ...rule, source: sourceOfRun(rule.source, clears), steps: rule.clearSteps } : rule;
}
