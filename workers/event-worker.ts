import type { Queue } from 'bullmq';
import { pendingStep } from '../src/actions/run-steps.js';
import { considerRules, isChainTooLong } from '../src/enrichment/consider-rules.js';
import type { Decision } from '../src/enrichment/consider-rules.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Event } from '../src/events/envelope.js';
import type { Causes } from '../src/journal/causes.js';
import type { Journal } from '../src/journal/journal.js';
import type { ProcessingTrace, RunTrace } from '../src/journal/trace.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import { runId } from '../src/queues/queues.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/rule.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { AccountAccess } from './accounts.js';

/** What the event worker joins together. */
export interface EventWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly runs: Queue<RunJob>;
  readonly journal: Journal;
  readonly causes: Causes;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Handles one event: fetches the facts that its rules need, decides the rules, plans a run for each that matched.
 * A rule whose facts cannot be had now does not hold the others up: theirs are planned, then the event is tried again.
 */
export function createEventHandler(
  options: EventWorkerOptions,
): (job: JobHandle<EventJob>) => Promise<Outcome> {
  const { accounts, journal, metrics } = options;
  return async (job) => {
    const { event: taken } = job.data;
    const logger = options.logger.child({ event: taken.id, account: taken.account, type: taken.type });
    const note = (processing: Pick<ProcessingTrace, 'state' | 'reason' | 'nextAttemptAt'>): Promise<void> =>
      journal.recordProcessing(taken.id, {
        ...processing,
        attempts: job.attempt,
        at: new Date().toISOString(),
      });
    await journal.recordTaken(taken);
    const access = accounts.get(taken.account);
    if (access === undefined) {
      const reason = `the account "${taken.account}" is not configured (any more)`;
      await note({ state: 'failed', reason });
      return { kind: 'dead', reason };
    }
    const causedBy = await options.causes.of(taken);
    const event: Event = causedBy === undefined ? taken : { ...taken, causedBy };
    if (causedBy !== undefined && isChainTooLong(causedBy)) {
      metrics.chainsCut.inc({ rule: causedBy.rule });
      logger.error({ ...causedBy }, 'rules go round in a circle: the chain is cut here');
    }
    await note({ state: 'processing' });
    const facts = createFactFetcher({
      event,
      ...access,
      known: await journal.factsOf(event.id),
      onFact: (name, fact) => journal.recordFact(event.id, name, fact),
    });
    const decisions = await considerRules(event, options.rules(), facts);
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
  };
}

function waitsForAccount({ cause }: Decision): boolean {
  return cause instanceof SimpleMdmError && cause.accountUnavailable;
}

async function plan(
  { runs, journal }: EventWorkerOptions,
  event: Event,
  decisions: readonly Decision[],
): Promise<void> {
  const plannedAt = new Date().toISOString();
  const completed = await journal.completedRules(event.id);
  const matched = decisions
    .filter(({ verdict, rule }) => verdict === 'matched' && !completed.has(rule.source.id))
    .map((decision) => decision.rule.source);
  const jobs = matched.map((rule): RunJob => ({ event, rule, steps: rule.do.map(pendingStep), plannedAt }));
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
    decisions.map(({ rule: { source }, verdict, reason }) => ({
      rule: source.id,
      ...(source.description !== undefined && { description: source.description }),
      verdict,
      reason,
      decidedAt: plannedAt,
    })),
  );
}

async function settleWaiting(
  job: JobHandle<EventJob>,
  decision: Decision,
  note: (processing: Pick<ProcessingTrace, 'state' | 'reason' | 'nextAttemptAt'>) => Promise<void>,
  logger: Logger,
): Promise<Outcome> {
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
