import type { Journal } from '../journal/journal.js';
import type { ProcessingTrace } from '../journal/trace.js';
import { outcomeOfApiError, retryOrFail } from '../queues/outcome-of-error.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { FailureReason, JobOutcome } from '../queues/job-outcome.js';
import type { EventJob } from '../queues/jobs.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import type { Logger } from '../telemetry/logger.js';
import type { Decision } from './evaluate-rules.js';

/** The state of an event job while a worker processes it. */
export interface EventSession {
  readonly logger: Logger;
  /** What the trace says while the event is processed. */
  readonly processing: ProcessingTrace;
  /** Logs the outcome of the attempt, and gives what the trace says of it. */
  readonly end: (outcome: JobOutcome) => ProcessingTrace | undefined;
}

/** Opens the session of an event. */
export function openEventSession(job: JobHandle<EventJob>, parent: Logger): EventSession {
  const { id, account, type } = job.data.event;
  const logger = parent.child({ event: id, account, type });
  const traceOf = (processing: Omit<ProcessingTrace, 'attempts' | 'at'>): ProcessingTrace => ({
    ...processing,
    attempts: job.attempt,
    at: new Date().toISOString(),
  });
  return {
    logger,
    processing: traceOf({ state: 'processing' }),
    end: (outcome) => {
      switch (outcome.kind) {
        case 'completed':
          return traceOf({ state: 'completed' });
        case 'failed': {
          const { code, reason } = outcome;
          logger.error({ code, reason, attempts: job.attempt }, 'event failed: it is a dead letter');
          return traceOf({ state: 'failed', reason, code });
        }
        case 'retry': {
          const { code = 'event/facts-unavailable', reason } = outcome;
          const nextAttemptAt = new Date(outcome.at).toISOString();
          const fields = { code, reason, nextAttemptAt, attempts: job.attempt };
          // A device that has just enrolled is no problem.
          if (code === 'event/inventory-pending') logger.info(fields, 'event waits');
          else logger.warn(fields, 'event waits');
          return traceOf({ state: 'waiting', reason, code, nextAttemptAt });
        }
        case 'requeue':
          // The next worker continues without delay.
          return undefined;
      }
    },
  };
}

/** Records the end of an event that failed without its handler. */
export async function failAbandonedEvent(
  { event }: EventJob,
  { reason, code }: FailureReason,
  { journal, attempts }: { readonly journal: Journal; readonly attempts: number },
): Promise<void> {
  const at = new Date().toISOString();
  await journal.recordProcessing(event.id, { state: 'failed', attempts, at, reason, code });
}

/** The outcome of an event from the verdicts on its rules. */
export function outcomeOfDecisions(
  decisions: readonly Decision[],
  job: Pick<JobHandle<EventJob>, 'isLastAttempt' | 'retryAt'>,
): JobOutcome {
  const waiting = decisions.filter(({ verdict }) => verdict === 'waiting');
  // A wait for an unavailable account uses up no attempt, so it decides.
  const first =
    waiting.find(({ cause }) => cause instanceof SimpleMdmError && cause.isAccountUnavailable) ??
    waiting.find(({ cause }) => cause !== undefined);
  if (first?.cause !== undefined) {
    const { cause } = first;
    const outcome =
      cause instanceof SimpleMdmError
        ? outcomeOfApiError(cause, job)
        : retryOrFail({ reason: cause.message, code: cause.code, notBefore: cause.notBefore }, job);
    return outcome.kind === 'requeue'
      ? outcome
      : { ...outcome, reason: first.reason, code: 'event/facts-unavailable' };
  }
  const undecided = decisions.find(({ verdict }) => verdict === 'error');
  if (undecided === undefined) return { kind: 'completed' };
  const { rule, reason } = undecided;
  return { kind: 'failed', reason: `rule ${rule.source.id}: ${reason}`, code: 'event/rule-undecided' };
}
