import type { FactTrace } from '../journal/trace.js';
import type { ApprovalRecord, StepRecord } from '../queues/jobs.js';

/**
 * The facts that a run can still use: those from before its last wait, for a step or for people, may be outdated, so they are looked up
 * again.
 */
export function freshFacts(
  known: ReadonlyMap<string, FactTrace>,
  steps: readonly StepRecord[],
  approvals: readonly ApprovalRecord[] = [],
): ReadonlyMap<string, FactTrace> {
  const lastWait = steps
    .flatMap((step) => [step, ...(step.itemRecords ?? [])])
    .flatMap(({ hasWaited, finishedAt }) => (hasWaited === true ? (finishedAt ?? []) : []))
    .concat(approvals.flatMap(({ at }) => at ?? []))
    .sort()
    .at(-1);
  if (lastWait === undefined) return known;
  return new Map([...known].filter(([, { fetchedAt }]) => fetchedAt >= lastWait));
}
