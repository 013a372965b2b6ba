import { canonicalJson } from '../events/fingerprint.js';
import type { FactTrace } from '../journal/trace.js';
import type { AttemptRecord, RunJob, StepRecord } from '../queues/jobs.js';
import type { RuleSource, StepSource } from '../rules/model/rule-schema.js';
import { isDestructive } from './rule-limits.js';
import { isFinished, pendingStep } from './attempt-record.js';

/** The rule as it was when the run was planned; for a replay as it is now, if the steps up to the last that is over are the same. */
export function effectiveRule(
  { rule, replays = 0, steps }: RunJob,
  current: RuleSource | undefined,
): RuleSource {
  if (replays === 0 || current === undefined) return rule;
  const over = 1 + steps.findLastIndex(({ status }) => status === 'completed' || status === 'skipped');
  return same(current.do.slice(0, over), rule.do.slice(0, over)) ? current : rule;
}

/**
 * The records of the steps by position; a step that is another one now begins afresh, but for what an earlier attempt may have done.
 *
 * @param replay - Which replay it is.
 */
export function stepRecordsFor(
  rule: RuleSource,
  before: RuleSource,
  records: readonly StepRecord[],
  replay = 0,
): StepRecord[] {
  return rule.do.map((source, index) => {
    const record = records[index];
    if (record?.action !== source.action) return pendingStep(source);
    if (record.status === 'completed' || record.status === 'skipped') return record;
    if (record.id === source.id && same(source, before.do[index])) return record;
    return restartedStep(source, record, before.do[index]?.forEach, replay);
  });
}

/** A step that reads otherwise now. Of a list that is the same, what is done is not done again. */
function restartedStep(
  source: StepSource,
  record: StepRecord,
  forEach: string | undefined,
  replay: number,
): StepRecord {
  const { attempts, calls, items, each = [] } = record;
  if (items !== undefined && source.forEach === forEach) {
    const left = each.map((one) => (isFinished(one, 'stop') ? one : unfinishedStep(source, [one], replay)));
    return { ...pendingStep(source), status: 'running', attempts, calls, items, each: left };
  }
  return { ...unfinishedStep(source, [record, ...each], replay), attempts, calls };
}

/** A step that has yet to be done, but for what earlier attempts may have done. */
function unfinishedStep(
  source: StepSource,
  attempts: readonly AttemptRecord[],
  replay: number,
): AttemptRecord {
  const [since] = attempts.flatMap(({ unsettledSince }) => unsettledSince ?? []).sort();
  return { ...pendingStep(source), afresh: replay, ...(since !== undefined && { unsettledSince: since }) };
}

/** What the rule files as they are now say of a run that goes on. */
export type RuleState =
  | { readonly kind: 'good'; readonly dryRun: boolean }
  /** There is no such rule any more. */
  | { readonly kind: 'gone' }
  /** Nothing more is to be done. */
  | { readonly kind: 'stopped'; readonly reason: string };

/**
 * A run goes on by its rule as it was when it was planned. Whoever switches the rule off, takes it away or makes a dry run of it
 * means the runs that wait as well: the stricter of then and now counts.
 *
 * @param current - The rule of that name as it is now.
 */
export function ruleStateOf(
  planned: RuleSource,
  current: RuleSource | undefined,
  account: string,
): RuleState {
  if (current === undefined) return { kind: 'gone' };
  if (!current.enabled) return stopped('the rule was switched off meanwhile (enabled: false)');
  if (current.accounts?.includes(account) === false)
    return stopped('the rule is not for this account any more (accounts)');
  if (isDestructive(planned) && !current.allow.includes('destructive'))
    return stopped(
      'the rule may not do any more what cannot be undone (allow: [destructive] was taken from it)',
    );
  return { kind: 'good', dryRun: planned.mode === 'dry_run' || current.mode === 'dry_run' };
}

const stopped = (reason: string): RuleState => ({ kind: 'stopped', reason });

/** A step that is not over is not done any more. */
export function skippedStep(step: StepRecord, reason: string): StepRecord {
  const isOver = step.status === 'completed' || step.status === 'skipped' || step.status === 'failed';
  return isOver ? step : { ...step, status: 'skipped', reason };
}

/** The facts that are still good: what was looked up before a step that waited is looked up anew behind it. */
export function freshFacts(
  known: ReadonlyMap<string, FactTrace>,
  steps: readonly StepRecord[],
): ReadonlyMap<string, FactTrace> {
  const last = steps
    .flatMap((step) => [step, ...(step.each ?? [])])
    .flatMap(({ waited, finishedAt }) => (waited === true ? (finishedAt ?? []) : []))
    .sort()
    .at(-1);
  if (last === undefined) return known;
  return new Map([...known].filter(([, { fetchedAt }]) => fetchedAt >= last));
}

/** Canonical: the fields of a step come out of the queue in another order than they went in. */
function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}
