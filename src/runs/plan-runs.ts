import { enqueueRuns } from '../coordination/enqueue-runs.js';
import type { RunTarget } from '../coordination/enqueue-runs.js';
import type { Event } from '../events/envelope.js';
import type { Journal } from '../journal/journal.js';
import type { RuleTrace, RunTrace } from '../journal/trace.js';
import { inLane } from '../queues/jobs.js';
import type { Lane, RunJob } from '../queues/jobs.js';
import { hasRun } from './concurrency-group.js';
import type { GroupedDecision } from './concurrency-group.js';
import { settleMsOf } from './settling.js';
import { pendingStep } from './step-records.js';
import { clearsOf, sourceOfRun } from './steps-of-run.js';

/** Where runs are planned. */
export interface PlanOptions extends RunTarget {
  readonly journal: Journal;
}

/** What an event leads to. */
export interface Plan {
  /** The verdicts of this attempt: a run is planned for each rule that matched. */
  readonly matched: readonly GroupedDecision[];
  /** The verdicts on all rules, as the trace shows them. */
  readonly decisions: readonly RuleTrace[];
  /** When the event was first evaluated, in epoch milliseconds. */
  readonly since: number;
  /** The lane of the runs. */
  readonly lane: Lane;
}

/**
 * Plans a run for each rule that matched: joins its concurrency group, enqueues its job, and records it with the decisions. Planning an
 * event again, after a retry or a replay, does not repeat a run.
 */
export async function planRuns(
  event: Event,
  { matched, decisions, since, lane }: Plan,
  { journal, ...target }: PlanOptions,
): Promise<void> {
  const plannedAt = new Date().toISOString();
  const completed = await journal.completedRules(event.id);
  const jobs = matched
    .filter((decision) => hasRun(decision) && !completed.has(decision.rule.source.id))
    .map(({ rule: { source }, group, edge, onceKeys }): RunJob => ({
      event,
      ...inLane(lane),
      rule: source,
      steps: sourceOfRun(source, clearsOf({ edge })).do.map(pendingStep),
      plannedAt,
      ...settlingOf(source, event, since),
      ...(group !== undefined && { group }),
      ...(edge && { edge }),
      ...(onceKeys && { onceKeys: [...onceKeys] }),
    }));
  await enqueueRuns(jobs, target);
  await journal.recordPlanned(
    event.id,
    jobs.map(({ rule, steps, edge }): RunTrace => ({
      rule: rule.id,
      status: 'queued',
      plannedAt,
      steps,
      ...(edge?.kind === 'clear' && { clears: true }),
    })),
  );
  await journal.recordDecisions(event.id, decisions);
}

/** The time in which the steps of a run wait for inventory: that of its rule goes on. */
function settlingOf(rule: RunJob['rule'], event: Event, since: number): Pick<RunJob, 'settling'> {
  const settleMs = settleMsOf(rule, event);
  if (settleMs === 0) return {};
  const until = new Date(since + settleMs).toISOString();
  return { settling: { since: new Date(since).toISOString(), until } };
}
