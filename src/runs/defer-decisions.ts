import { DEVICE_FACTS } from '../enrichment/registry.js';
import type { FactTrace, RuleTrace } from '../journal/trace.js';
import type { JobOutcome, JobRetry } from '../queues/job-outcome.js';
import type { InventoryWait } from '../queues/jobs.js';
import type { Rule } from '../rules/model/rule.js';
import type { Decision } from './evaluate-rules.js';
import { inventoryReason, isLookDue, waitAfterLook } from './inventory-looks.js';

/*
 * An event whose rules wait for inventory is looked at again. Each look fetches the facts of the device anew, and evaluates only the rules
 * that are not decided. The verdicts on the others stand: they are in the trace.
 */

/** The facts from earlier attempts that an attempt can still use: a look needs the facts of the device anew. */
export function factsForLook(
  known: ReadonlyMap<string, FactTrace>,
  wait: InventoryWait | undefined,
  now: number,
): ReadonlyMap<string, FactTrace> {
  if (wait === undefined || !isLookDue(wait, now)) return known;
  // A worker that was killed during this look has fetched some of them already.
  const isFresh = (name: string, { fetchedAt }: FactTrace): boolean =>
    !DEVICE_FACTS.includes(name) || fetchedAt >= wait.nextLookAt;
  return new Map([...known].filter(([name, fact]) => isFresh(name, fact)));
}

/**
 * The rules to evaluate. While an event waits, those that were not decided: a decided rule is never decided again, and a rule that was
 * loaded later does not act on an old event.
 *
 * @param earlier - The verdicts of earlier attempts; undefined when the event has not waited for inventory.
 */
export function undecidedRules(
  rules: readonly Rule[],
  earlier: readonly RuleTrace[] | undefined,
): readonly Rule[] {
  if (earlier === undefined) return rules;
  const undecided = new Set(earlier.filter(({ verdict }) => !isFinal(verdict)).map(({ rule }) => rule));
  return rules.filter(({ source }) => undecided.has(source.id));
}

function isFinal(verdict: RuleTrace['verdict']): boolean {
  return verdict !== 'waiting' && verdict !== 'error';
}

/** The verdicts on an event after an attempt, and the wait that goes on. */
export interface DeferredDecisions {
  readonly decisions: readonly RuleTrace[];
  /** To save with the job. Undefined when the event has not waited, or is decided. */
  readonly wait: InventoryWait | undefined;
  /** Whether a rule waits for inventory now. A look that the API cut short waits for the API, and goes on with the same state. */
  readonly isWaiting: boolean;
}

/**
 * Joins the verdicts of an attempt with the earlier ones.
 *
 * @param since - When the event was first evaluated, in epoch milliseconds.
 */
export function deferDecisions(
  decisions: readonly Decision[],
  {
    earlier = [],
    before,
    since,
    now,
    pausesMs,
  }: {
    readonly earlier: readonly RuleTrace[] | undefined;
    readonly before: InventoryWait | undefined;
    readonly since: number;
    readonly now: number;
    readonly pausesMs: readonly number[] | undefined;
  },
): DeferredDecisions {
  const decidedAt = new Date(now).toISOString();
  const evaluated = new Set(decisions.map(({ rule }) => rule.source.id));
  const kept = earlier
    .filter(({ rule }) => !evaluated.has(rule))
    .map((trace) => keptDecision(trace, now, decidedAt));
  const ends = [
    ...decisions.flatMap(({ inventory }) => inventory?.until ?? []),
    ...kept.flatMap(({ inventory }) => (inventory === undefined ? [] : Date.parse(inventory.until))),
  ];
  const isWaiting = ends.length > 0;
  const isUndecided = decisions.some(({ verdict }) => !isFinal(verdict));
  const wait = isWaiting
    ? waitAfterLook(before, { since, until: Math.min(...ends) }, now, pausesMs)
    : isUndecided
      ? before
      : undefined;
  const waited = new Map(earlier.map(({ rule, inventory }) => [rule, inventory]));
  const traces = [
    ...kept.map((trace) => (wait === undefined ? trace : withWait(trace, wait))),
    ...decisions.map((decision) =>
      afterWait(traceOf(decision, wait, decidedAt), decision, waited.get(decision.rule.source.id), now),
    ),
  ];
  const position = new Map(earlier.map(({ rule }, index) => [rule, index]));
  const place = ({ rule }: RuleTrace): number => position.get(rule) ?? earlier.length;
  return { decisions: traces.sort((a, b) => place(a) - place(b)), wait, isWaiting };
}

/** A verdict on a rule that this attempt did not evaluate: it was decided, or the rule is in no rule file now. */
function keptDecision(trace: RuleTrace, now: number, decidedAt: string): RuleTrace {
  if (isFinal(trace.verdict)) return trace;
  // Rule files are replaced one by one, so the rule may come back.
  if (trace.inventory !== undefined && now < Date.parse(trace.inventory.until)) return trace;
  const { inventory: _inventory, code: _code, ...rest } = trace;
  const reason = 'the rule is in no rule file any more, or no longer listens for this type';
  return { ...rest, verdict: 'not_matched', reason, decidedAt };
}

function withWait(trace: RuleTrace, wait: InventoryWait): RuleTrace {
  const { inventory } = trace;
  if (inventory === undefined) return trace;
  return { ...trace, reason: inventoryReason(inventory.missing, wait), inventory: { ...inventory, ...wait } };
}

/** Says in the reason of a verdict that the rule waited before. */
function afterWait(
  trace: RuleTrace,
  { unknown }: Decision,
  waited: RuleTrace['inventory'],
  now: number,
): RuleTrace {
  // A verdict on an unknown says already what did not arrive.
  if (waited === undefined || unknown === true || trace.inventory !== undefined || !isFinal(trace.verdict))
    return trace;
  const seconds = Math.round((now - Date.parse(waited.since)) / 1000);
  return {
    ...trace,
    reason: `${trace.reason}; waited ${seconds} s for inventory: ${waited.missing.join(', ')}`,
  };
}

function traceOf(
  { rule: { source }, verdict, reason, code, ownAction, inventory }: Decision,
  wait: InventoryWait | undefined,
  decidedAt: string,
): RuleTrace {
  const trace: RuleTrace = {
    rule: source.id,
    ...(source.description !== undefined && { description: source.description }),
    verdict,
    reason,
    ...(code !== undefined && { code }),
    ...(ownAction && { ownAction }),
    decidedAt,
  };
  if (inventory === undefined || wait === undefined) return trace;
  const { missing, until } = inventory;
  return {
    ...trace,
    reason: inventoryReason(missing, wait),
    inventory: { ...wait, missing: [...missing], until: new Date(until).toISOString() },
  };
}

/**
 * The outcome of an event some of whose rules wait for inventory, and others perhaps for a fact that is unavailable: the earliest next
 * attempt wins. The event fails only when no rule can still match.
 */
export function outcomeWithWait(
  outcome: JobOutcome,
  { decisions, wait, isWaiting }: DeferredDecisions,
): JobOutcome {
  if (wait === undefined || !isWaiting || outcome.kind === 'requeue') return outcome;
  const at = Date.parse(wait.nextLookAt);
  if (outcome.kind === 'retry' && outcome.at <= at) return outcome;
  const missing = decisions.flatMap(({ inventory }) => inventory?.missing ?? []);
  return inventoryRetry(inventoryReason([...new Set(missing)], wait), at);
}

/** A job that waits for inventory. No attempt is used up. */
export function inventoryRetry(reason: string, at: number): JobRetry {
  return { kind: 'retry', at, countsAttempt: false, reason, code: 'event/inventory-pending' };
}
