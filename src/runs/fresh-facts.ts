import type { FactTrace } from '../journal/trace.js';
import type { StepRecord } from '../queues/jobs.js';

/** The facts that a run can still use: those from before its last wait may be outdated, so they are looked up again. */
export function freshFacts(
  known: ReadonlyMap<string, FactTrace>,
  steps: readonly StepRecord[],
): ReadonlyMap<string, FactTrace> {
  const lastWait = steps
    .flatMap((step) => [step, ...(step.itemRecords ?? [])])
    .flatMap(({ hasWaited, finishedAt }) => (hasWaited === true ? (finishedAt ?? []) : []))
    .sort()
    .at(-1);
  if (lastWait === undefined) return known;
  return new Map([...known].filter(([, { fetchedAt }]) => fetchedAt >= lastWait));
}
