import type { Queue } from 'bullmq';
import type { AlertDispatcher } from '../src/alerts/alert-dispatcher.js';
import type { ConcurrencyGroups } from '../src/coordination/concurrency-groups.js';
import { completeAndWakeNext, waitForEarlierEvents } from '../src/coordination/earlier-events.js';
import type { EventCauses } from '../src/coordination/event-causes.js';
import type { RaisedDevices } from '../src/coordination/raised-devices.js';
import { addInventoryWait, removeInventoryWait } from '../src/coordination/inventory-waits.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Journal } from '../src/journal/journal.js';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import { laneOfRuns } from '../src/queues/jobs.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import type { Shard } from '../src/queues/shards.js';
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
import { reportCutChain, withCause } from '../src/runs/loop-protection.js';
import { withOnceKeys } from '../src/runs/once-per.js';
import type { Lookups } from '../src/lookups/lookups.js';
import { planRuns } from '../src/runs/plan-runs.js';
import { unknownAccount } from '../src/runs/unknown-account.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';

/** The parts of the event worker. */
export interface EventWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly shard: Shard;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly groups: ConcurrencyGroups;
  readonly lookups?: Lookups;
  readonly alerts: AlertDispatcher;
  readonly raised: RaisedDevices;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly journal: Journal;
  readonly causes: EventCauses;
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
    const wait = await waitForEarlierEvents(event, options);
    if (wait !== undefined) return wait;
    const outcome = await processEvent(job, options);
    // An event that is retried keeps its place in the order. One that waits for inventory gives it up: later events must not wait an hour.
    if (outcome.kind === 'completed' || outcome.kind === 'failed' || isInventoryWait(outcome))
      await completeAndWakeNext(event, options);
    return outcome;
  };
}

async function processEvent(job: JobHandle<EventJob>, options: EventWorkerOptions): Promise<JobOutcome> {
  const { journal, metrics } = options;
  const session = openEventSession(job, options);
  await journal.ensureTrace(job.data.event);
  const access = options.accounts.get(job.data.event.account);
  if (access === undefined) return session.end({ kind: 'failed', ...unknownAccount(job.data.event.account) });
  const event = await withCause(job.data.event, options.causes);
  await reportCutChain(event, { ...options, logger: session.logger });
  await session.start();
  const now = Date.now();
  const before = job.data.inventoryWait;
  const earlier = before === undefined ? undefined : await journal.decisionsOf(event.id);
  const since = before === undefined ? now : Date.parse(before.since);
  const facts = createFactFetcher({
    event,
    ...access,
    ...(options.lookups && { lookups: options.lookups }),
    known: factsForLook(await journal.factsOf(event.id), before, now),
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
  await planRuns(
    event,
    { matched, decisions: deferred.decisions, since, lane: laneOfRuns(job.data, event) },
    options,
  );
  for (const { rule, verdict, reason } of matched) {
    metrics.ruleEvaluations.inc({ rule: rule.source.id, verdict });
    session.logger.info({ rule: rule.source.id, verdict, reason }, 'rule evaluated');
  }
  const outcome = outcomeWithWait(outcomeOfDecisions(matched, job), deferred);
  await saveWait(deferred, job, options);
  return session.end(outcome);
}

/** Saves the wait with the job, so that it goes on after a restart. A replay of a dead letter keeps what was decided, too. */
async function saveWait(
  { wait, isWaiting }: DeferredDecisions,
  job: JobHandle<EventJob>,
  { shard, metrics }: EventWorkerOptions,
): Promise<void> {
  const { inventoryWait: before, ...data } = job.data;
  if (wait === undefined && before === undefined) return;
  if (wait === undefined || !isWaiting) await removeInventoryWait(shard, data.event.id);
  else if (await addInventoryWait(shard, data.event.id, Date.parse(wait.nextLookAt)))
    metrics.inventoryWaits.inc({ kind: 'event' });
  if (wait !== before) await job.save({ ...data, ...(wait !== undefined && { inventoryWait: wait }) });
}

function isInventoryWait(outcome: JobOutcome): boolean {
  return outcome.kind === 'retry' && outcome.code === 'event/inventory-pending';
}
