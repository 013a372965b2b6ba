import type { Event } from '../events/envelope.js';
import type { TraceChanges } from '../journal/trace-changes.js';
import type { RuleTrace, RunTrace } from '../journal/trace.js';
import { inLane } from '../queues/jobs.js';
import type { Lane, RunJob } from '../queues/jobs.js';
import { hasRun } from './concurrency-group.js';
import type { GroupedDecision } from './concurrency-group.js';
import { settleMsOf } from './settling.js';
import { pendingStep } from './step-records.js';
import { clearsOf, sourceOfRun } from './steps-of-run.js';

/** What an event leads to. */
export interface Verdicts {
  /** The verdicts of this attempt: a run is planned for each rule that matched. */
  readonly matched: readonly GroupedDecision[];
  /** The verdicts on all rules, as the trace shows them. */
  readonly decisions: readonly RuleTrace[];
  /** The rules whose runs are completed. */
  readonly completed: ReadonlySet<string>;
  /** When the event was first evaluated, in epoch milliseconds. */
  readonly since: number;
  /** The lane of the runs. */
  readonly lane: Lane;
}

/** The runs of an event, and what its trace says of them and of the other rules. */
export interface Plan {
  readonly jobs: readonly RunJob[];
  readonly changes: TraceChanges;
}

/** Plans a run for each rule that matched. */
export function planRuns(event: Event, { matched, decisions, completed, since, lane }: Verdicts): Plan {
  const plannedAt = new Date().toISOString();
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
  const planned = jobs.map(({ rule, steps, edge }): RunTrace => ({
    rule: rule.id,
    status: 'queued',
    plannedAt,
    steps,
    ...(edge?.kind === 'clear' && { clears: true }),
  }));
  return { jobs, changes: { planned, decisions } };
}

/** The time in which the steps of a run wait for inventory: that of its rule goes on. */
function settlingOf(rule: RunJob['rule'], event: Event, since: number): Pick<RunJob, 'settling'> {
  const settleMs = settleMsOf(rule, event);
  if (settleMs === 0) return {};
  const until = new Date(since + settleMs).toISOString();
  return { settling: { since: new Date(since).toISOString(), until } };
}
