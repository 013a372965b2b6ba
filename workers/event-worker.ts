import type { Queue } from 'bullmq';
import type { AlertDispatcher } from '../src/alerts/alert-dispatcher.js';
import type { ConcurrencyGroups } from '../src/coordination/concurrency-groups.js';
import { beginEvent, finishEvent } from '../src/coordination/process-event.js';
import type { EventStart, EventStore } from '../src/coordination/process-event.js';
import type { RaisedDevices } from '../src/coordination/raised-devices.js';
import { addInventoryWait, removeInventoryWait } from '../src/coordination/inventory-waits.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Journal } from '../src/journal/journal.js';
import type { TraceChanges } from '../src/journal/trace-changes.js';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import { laneOf, laneOfRuns } from '../src/queues/jobs.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import type { Rule } from '../src/rules/model/rule.js';
import { withGroups } from '../src/runs/concurrency-group.js';
import { decideEdges } from '../src/runs/decide-edges.js';
import {
  deferDecisions,
  factsForLook,
  outcomeWithWait,
  undecidedRules,
} from '../src/runs/defer-decisions.js';
import type { DeferredDecisions } from '../src/runs/defer-decisions.js';
import { evaluateRules } from '../src/runs/evaluate-rules.js';
import { openEventSession, outcomeOfDecisions } from '../src/runs/event-session.js';
import type { EventSession } from '../src/runs/event-session.js';
import { reportCutChain } from '../src/runs/loop-protection.js';
import { withOnceKeys } from '../src/runs/once-per.js';
import type { Lookups } from '../src/lookups/lookups.js';
import { planRuns } from '../src/runs/plan-runs.js';
import { unknownAccount } from '../src/runs/unknown-account.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';

/** The parts of the event worker. */
export interface EventWorkerOptions extends EventStore {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly runs: Queue<RunJob>;
  readonly groups: ConcurrencyGroups;
  readonly lookups?: Lookups;
  readonly alerts: AlertDispatcher;
  readonly raised: RaisedDevices;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The pauses between looks at an inventory that is not there yet, in milliseconds. */
  readonly lookPausesMs: readonly number[];
}

/**
 * Handles the queue "events": waits for earlier events of the device, evaluates the rules, and plans a run for each rule that matched.
 * When a fact is unavailable, the rules that do not need it run first, and the event is retried for the others.
 */
export function createEventHandler(
  options: EventWorkerOptions,
): (job: JobHandle<EventJob>) => Promise<JobOutcome> {
  return async (job) => {
    const { event } = job.data;
    const session = openEventSession(job, options.logger);
    const start = await beginEvent(event, session.processing, laneOf(job.data), options);
    if (start.kind === 'waits') return start.retry;
    if (start.kind === 'ended') return { kind: 'completed' };
    const { outcome, jobs = [], changes } = await processEvent(job, start, session, options);
    const processing = session.end(outcome);
    const hasEnded = outcome.kind === 'completed' || outcome.kind === 'failed';
    const end = {
      changes: { ...changes, ...(processing && { processing }) },
      jobs,
      leavesOrder: hasEnded || isInventoryWait(outcome),
      place: hasEnded ? job.place : undefined,
    };
    await finishEvent(event, end, options);
    return outcome;
  };
}

/** The outcome of an attempt, and what is left to record with it. */
interface ProcessedEvent {
  readonly outcome: JobOutcome;
  readonly jobs?: readonly RunJob[];
  readonly changes?: TraceChanges;
}

async function processEvent(
  job: JobHandle<EventJob>,
  { cause, known }: Extract<EventStart, { kind: 'begun' }>,
  session: EventSession,
  options: EventWorkerOptions,
): Promise<ProcessedEvent> {
  const { journal, metrics } = options;
  const access = options.accounts.get(job.data.event.account);
  if (access === undefined) return { outcome: { kind: 'failed', ...unknownAccount(job.data.event.account) } };
  const event = cause === undefined ? job.data.event : { ...job.data.event, causedBy: cause };
  await reportCutChain(event, { ...options, logger: session.logger });
  const now = Date.now();
  const before = job.data.inventoryWait;
  const earlier = before === undefined ? undefined : known.decisions;
  const since = before === undefined ? now : Date.parse(before.since);
  const facts = createFactFetcher({
    event,
    ...access,
    ...(options.lookups && { lookups: options.lookups }),
    known: factsForLook(known.facts, before, now),
    onFact: (name, fact) => journal.recordFact(event.id, name, fact),
  });
  const rules = undecidedRules(options.rules(), earlier);
  const evaluated = await evaluateRules(event, rules, facts, () => new Date(), since);
  // Before the edge is used up: an error of a key leaves the edge for later.
  const keyed = await withOnceKeys(evaluated, event, facts);
  const edges = await decideEdges(keyed, event, { ...options, facts });
  const matched = await withGroups(edges, event, { facts, env: options.env });
  await facts.reportUsedRows();
  const pausesMs = options.lookPausesMs;
  const deferred = deferDecisions(matched, { earlier, before, since, now, pausesMs });
  const { jobs, changes } = planRuns(event, {
    matched,
    decisions: deferred.decisions,
    completed: known.completedRules,
    since,
    lane: laneOfRuns(job.data, event),
  });
  for (const { rule, verdict, reason } of matched) {
    metrics.ruleEvaluations.inc({ rule: rule.source.id, verdict });
    session.logger.info({ rule: rule.source.id, verdict, reason }, 'rule evaluated');
  }
  const outcome = outcomeWithWait(outcomeOfDecisions(matched, job), deferred);
  if (deferred.wait === undefined && before === undefined) return { outcome, jobs, changes };
  // Before the wait: with a wait, the next attempt takes the verdicts on the decided rules from the trace.
  await finishEvent(event, { changes, jobs, leavesOrder: false, place: undefined }, options);
  await saveWait(deferred, job, options);
  return { outcome };
}

/** Saves the wait with the job, so that it goes on after a restart. A replay of a dead letter keeps what was decided, too. */
async function saveWait(
  { wait, isWaiting }: DeferredDecisions,
  job: JobHandle<EventJob>,
  { shard, metrics }: EventWorkerOptions,
): Promise<void> {
  const { inventoryWait: before, ...data } = job.data;
  if (wait === undefined || !isWaiting) await removeInventoryWait(shard, data.event.id);
  else if (await addInventoryWait(shard, data.event.id, Date.parse(wait.nextLookAt)))
    metrics.inventoryWaits.inc({ kind: 'event' });
  if (wait !== before) await job.save({ ...data, ...(wait !== undefined && { inventoryWait: wait }) });
}

/** An event that is retried keeps its place in the order. One that waits for inventory gives it up: later events must not wait an hour. */
function isInventoryWait(outcome: JobOutcome): boolean {
  return outcome.kind === 'retry' && outcome.code === 'event/inventory-pending';
}
