import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { pendingStep } from '../src/runs/attempt-record.js';
import { evaluateRules, isChainTooLong } from '../src/runs/evaluate-rules.js';
import type { Decision } from '../src/runs/evaluate-rules.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { FactFetcher } from '../src/enrichment/fetch-facts.js';
import { deviceReferenceOf } from '../src/events/webhook-types.js';
import type { Event } from '../src/events/envelope.js';
import { canonicalJson } from '../src/events/fingerprint.js';
import { eventValue, withAttributesInDevice } from '../src/enrichment/rule-values.js';
import { earlierEvent, removeEvent, completeEvent } from '../src/coordination/event-order.js';
import type { EventCauses } from '../src/coordination/event-causes.js';
import type { Journal } from '../src/journal/journal.js';
import type { ConcurrencyGroups } from '../src/coordination/concurrency-groups.js';
import type { ProcessingTrace, RunTrace } from '../src/journal/trace.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import { runId, wakeJob } from '../src/queues/queues.js';
import type { JobHandle, JobOutcome } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/model/rule.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { AlertDispatcher } from '../src/alerts/alert-dispatcher.js';

/** What the event worker joins together. */
export interface EventWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly connection: Redis;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly groups: ConcurrencyGroups;
  readonly alerts: AlertDispatcher;
  readonly env: NodeJS.ProcessEnv;
  readonly journal: Journal;
  readonly causes: EventCauses;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Handles one event: fetches the facts that its rules need, decides the rules, plans a run for each that matched.
 * A rule whose facts cannot be had now does not hold the others up: theirs are planned, then the event is tried again.
 */
export function createEventHandler(
  options: EventWorkerOptions,
): (job: JobHandle<EventJob>) => Promise<JobOutcome> {
  return async (job) => {
    const { event } = job.data;
    const ahead = await stateOfEarlier(event, options);
    if (ahead !== undefined) {
      const reason = 'an earlier event of the same device is looked at first';
      // Whoever is done with it wakes the next. One that waits for SimpleMDM may do so for hours.
      const waited = Math.max(Date.now() - Date.parse(event.receivedAt), 0);
      const most = ahead === 'delayed' ? LOOK_AGAIN_MOST_MS : LOOK_AGAIN_MS;
      return {
        kind: 'again',
        at: Date.now() + Math.min(Math.max(waited, LOOK_AGAIN_MS), most),
        waits: true,
        reason,
      };
    }
    const outcome = await handleEvent(job, options);
    // One that is tried again keeps its place; else later events of the device need not wait for it, whatever became of it.
    if (outcome.kind === 'done' || outcome.kind === 'dead') {
      const next = await completeEvent(options.connection, event);
      if (next !== undefined) await wakeJob(options.events, next);
    }
    return outcome;
  };
}

/** How often an event looks whether an earlier one is out of its way, when nobody wakes it. */
const LOOK_AGAIN_MS = 200;
const LOOK_AGAIN_MOST_MS = 10_000;

/** Events of one device are looked at in the order in which they happened, when they wait together. Gives how the one ahead stands. */
async function stateOfEarlier(
  event: Event,
  { connection, events }: EventWorkerOptions,
): Promise<string | undefined> {
  for (;;) {
    const earlier = await earlierEvent(connection, event);
    if (earlier === undefined) return undefined;
    const state = await events.getJobState(earlier);
    if (state !== 'unknown' && state !== 'completed' && state !== 'failed') return state;
    // It will never be looked at: its job is gone or over.
    await removeEvent(connection, event, earlier);
  }
}

async function handleEvent(job: JobHandle<EventJob>, options: EventWorkerOptions): Promise<JobOutcome> {
  const { accounts, journal, metrics } = options;
  const { event: taken } = job.data;
  const logger = options.logger.child({ event: taken.id, account: taken.account, type: taken.type });
  const note = (processing: Pick<ProcessingTrace, 'state' | 'reason' | 'nextAttemptAt'>): Promise<void> =>
    journal.recordProcessing(taken.id, {
      ...processing,
      attempts: job.attempt,
      at: new Date().toISOString(),
    });
  await journal.ensureTrace(taken);
  const access = accounts.get(taken.account);
  if (access === undefined) {
    const reason = `the account "${taken.account}" is not configured (any more)`;
    await note({ state: 'failed', reason });
    return { kind: 'dead', reason };
  }
  const causedBy = taken.causedBy ?? (await options.causes.causeOf(taken));
  const event: Event = causedBy === undefined ? taken : { ...taken, causedBy };
  if (causedBy !== undefined && isChainTooLong(causedBy)) {
    metrics.eventChainsCut.inc({ rule: causedBy.rule });
    logger.error({ ...causedBy }, 'rules go round in a circle: the chain is cut here');
    await options.alerts.dispatchServiceAlert({
      id: `chain:${taken.id}`,
      kind: 'chain',
      account: taken.account,
      rule: causedBy.rule,
      event: { id: taken.id, type: taken.type },
      title: 'Rules go round in a circle',
      text: `${causedBy.chainLength} events in a row were brought about by rules, the last one by ${causedBy.rule}. The chain was cut at this ${taken.type}.`,
      severity: 'critical',
    });
  }
  await note({ state: 'processing' });
  const facts = createFactFetcher({
    event,
    ...access,
    known: await journal.factsOf(event.id),
    onFact: (name, fact) => journal.recordFact(event.id, name, fact),
  });
  const decisions = await withLines(
    await evaluateRules(event, options.rules(), facts),
    event,
    facts,
    options.env,
  );
  await plan(options, event, decisions);
  for (const { rule, verdict, reason } of decisions) {
    metrics.ruleEvaluations.inc({ rule: rule.source.id, verdict });
    logger.info({ rule: rule.source.id, verdict, reason }, 'rule considered');
  }
  const waiting = decisions.filter((decision) => decision.verdict === 'waiting');
  const [first] = waiting;
  // What waits for an account uses up no attempt, so it speaks for the others.
  if (first !== undefined) return settleWaiting(job, waiting.find(waitsForAccount) ?? first, note, logger);
  const broken = decisions.find((decision) => decision.verdict === 'error');
  if (broken === undefined) {
    await note({ state: 'done' });
    return { kind: 'done' };
  }
  const reason = `rule ${broken.rule.source.id}: ${broken.reason}`;
  await note({ state: 'failed', reason });
  logger.error({ reason }, 'a rule could not be decided: the event is a dead letter');
  return { kind: 'dead', reason };
}

function waitsForAccount({ cause }: Decision): boolean {
  return cause instanceof SimpleMdmError && cause.isAccountUnavailable;
}

/** A decision, with the line in which the run of a rule that matched stands. */
interface LinedDecision extends Decision {
  readonly line?: string;
}

/** Finds the line of each run. A rule whose key cannot be filled in is in error, and no other with it. */
async function withLines(
  decisions: readonly Decision[],
  event: Event,
  facts: FactFetcher,
  env: NodeJS.ProcessEnv,
): Promise<LinedDecision[]> {
  return Promise.all(
    decisions.map(async (decision): Promise<LinedDecision> => {
      if (decision.verdict !== 'matched') return decision;
      try {
        const line = await lineOf(decision.rule, event, facts, env);
        return line === undefined ? decision : { ...decision, line };
      } catch (error) {
        const key = decision.rule.source.concurrency?.key ?? '';
        return {
          ...decision,
          verdict: 'error',
          reason: `concurrency.key "${key}" cannot be filled in: ${errorText(error)} ({{ … | default: "-" }} allows for what is missing)`,
        };
      }
    }),
  );
}

async function plan(
  { runs, journal, groups }: EventWorkerOptions,
  event: Event,
  decisions: readonly LinedDecision[],
): Promise<void> {
  const plannedAt = new Date().toISOString();
  const completed = await journal.completedRules(event.id);
  const jobs = decisions
    .filter(({ verdict, rule }) => verdict === 'matched' && !completed.has(rule.source.id))
    .map(({ rule: { source }, line }): RunJob => ({
      event,
      rule: source,
      steps: source.do.map(pendingStep),
      plannedAt,
      ...(line !== undefined && { concurrencyKey: line }),
    }));
  // Before they are in the queue: the first must know of the second when both are there.
  for (const { concurrencyKey, rule } of jobs) {
    if (concurrencyKey !== undefined) {
      await groups.join(concurrencyKey, runId(event.id, rule.id), Date.parse(event.at));
    }
  }
  if (jobs.length > 0) {
    await runs.addBulk(
      jobs.map((data) => ({ name: data.rule.id, data, opts: { jobId: runId(event.id, data.rule.id) } })),
    );
  }
  await journal.recordPlanned(
    event.id,
    jobs.map(({ rule, steps }): RunTrace => ({ rule: rule.id, status: 'queued', plannedAt, steps })),
  );
  await journal.recordDecisions(
    event.id,
    decisions.map(({ rule: { source }, verdict, reason, ownAction }) => ({
      rule: source.id,
      ...(source.description !== undefined && { description: source.description }),
      verdict,
      reason,
      ...(ownAction && { ownAction }),
      decidedAt: plannedAt,
    })),
  );
}

/** What the runs share that stand in one line: account, rule, and the key of the rule, or else the device. */
async function lineOf(
  rule: Rule,
  event: Event,
  facts: FactFetcher,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const device = deviceReferenceOf(event);
  const template = rule.concurrencyKey;
  const named = [...(template?.names ?? [])].filter((name) => rule.stepFacts.has(name));
  const values = await Promise.all(named.map(async (name) => [name, await facts.fetch(name)] as const));
  const key =
    template === undefined
      ? (rule.source.concurrency?.key ?? device?.id ?? device?.serialNumber)
      : template.render(
          withAttributesInDevice({ event: eventValue(event), ...Object.fromEntries(values) }),
          env,
        );
  // What is not known is no key that runs could share.
  if (key === undefined || String(key).trim() === '') return undefined;
  return createHash('sha256')
    .update(canonicalJson([event.account, rule.source.id, String(key)]))
    .digest('hex');
}

async function settleWaiting(
  job: JobHandle<EventJob>,
  decision: Decision,
  note: (processing: Pick<ProcessingTrace, 'state' | 'reason' | 'nextAttemptAt'>) => Promise<void>,
  logger: Logger,
): Promise<JobOutcome> {
  const { cause, reason } = decision;
  if (cause instanceof SimpleMdmError && cause.failure.kind === 'stopped') return { kind: 'handed_back' };
  const waits = waitsForAccount(decision);
  if (job.isLastAttempt && !waits) {
    await note({ state: 'failed', reason });
    logger.error({ reason, attempts: job.attempt }, 'an event used up its attempts: it is a dead letter');
    return { kind: 'dead', reason };
  }
  const at = job.retryAt(cause instanceof SimpleMdmError ? cause.failure.retryAt : undefined);
  const nextAttemptAt = new Date(at).toISOString();
  await note({ state: 'waiting', reason, nextAttemptAt });
  logger.warn({ reason, nextAttemptAt, attempts: job.attempt }, 'an event waits for a fact');
  return { kind: 'again', at, waits, reason };
}
