import type { AttemptRecord } from '../queues/jobs.js';
import type { ApiCall } from '../http/api-call.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, RetryLaterError } from '../actions/action.js';
import type { ActionResult } from '../actions/action.js';

/** What can go wrong with a step; anything else is no failure of the step but of the run. */
export type StepFailure = SimpleMdmError | StepError | RetryLaterError | StepTimeoutError;

/** A step that used up its time. What it had under way may still take effect. */
export class StepTimeoutError extends Error {
  override readonly name = 'StepTimedOut';
}

/** Whether an error is one of a step. */
export function isStepFailure(error: unknown): error is StepFailure {
  return (
    error instanceof SimpleMdmError ||
    error instanceof StepError ||
    error instanceof RetryLaterError ||
    error instanceof StepTimeoutError
  );
}

/** One attempt at a step, or at a step for one item of its list, and the record of it. */
export interface StepAttempt {
  readonly calls: ApiCall[];
  readonly before: AttemptRecord;
  /** When the step was begun for the first time; a replay of a failed step begins it anew. */
  readonly startedAt: string;
  /** What the step left behind when it began to wait. */
  readonly previousOutput: AttemptRecord['output'];
  /** The record while a call is under way whose outcome is not known yet. */
  readonly inFlight: () => AttemptRecord;
  readonly finished: (outcome: ActionResult) => AttemptRecord;
  readonly failed: (error: StepFailure) => AttemptRecord;
  readonly interrupted: (error: StepFailure, at: number) => AttemptRecord;
}

/** A step's last calls are kept; a step that was retried all day has made hundreds. */
const MAX_CALLS_KEPT = 10;

/** A step before anything has been done. */
export function pendingStep({ action, id }: Pick<AttemptRecord, 'action' | 'id'>): AttemptRecord {
  return { action, ...(id !== undefined && { id }), status: 'pending', attempts: 0, calls: [] };
}

/** Whether nothing is left to be done of a step. */
export function isFinished({ status }: AttemptRecord, onError: 'stop' | 'continue'): boolean {
  return status === 'completed' || status === 'skipped' || (status === 'failed' && onError === 'continue');
}

/** Begins an attempt behind what is known from earlier ones. */
export function startAttempt(before: AttemptRecord, now: Date): StepAttempt {
  const calls: ApiCall[] = [];
  let began = false;
  const {
    reason: _reason,
    nextAttemptAt: _next,
    finishedAt: _finished,
    output,
    startedAt,
    unsettledSince,
    ...kept
  } = before;
  const goesOn = before.status === 'waiting' || before.status === 'retrying' || before.status === 'running';
  const begunAt = (goesOn ? startedAt : undefined) ?? now.toISOString();
  const previousOutput = goesOn ? output : undefined;
  const base = (): AttemptRecord => ({
    ...kept,
    ...(previousOutput && { output: previousOutput }),
    status: 'running',
    // To look again whether something has happened is no new attempt.
    attempts: before.attempts + (before.status === 'waiting' ? 0 : 1),
    startedAt: begunAt,
    calls: [...before.calls, ...calls].slice(-MAX_CALLS_KEPT),
  });
  const open = unsettledSince ?? now.toISOString();
  // Whether a call took effect stays open until an answer says so, past the end of a run that failed: a replay must look first.
  const stillOpen = (error: StepFailure): Pick<AttemptRecord, 'unsettledSince'> => {
    const since = began && mayHaveTakenEffect(error) ? open : unsettledSince;
    return since === undefined ? {} : { unsettledSince: since };
  };
  return {
    calls,
    before,
    startedAt: begunAt,
    previousOutput,
    inFlight: () => {
      began = true;
      return { ...base(), unsettledSince: open };
    },
    finished: (outcome) => {
      const about = { ...base(), ...('output' in outcome && { output: { ...outcome.output } }) };
      if (outcome.status === 'waiting') {
        const nextAttemptAt = new Date(outcome.until).toISOString();
        return { ...about, status: 'waiting', waited: true, reason: outcome.reason, nextAttemptAt };
      }
      return {
        ...about,
        status: outcome.status,
        ...('reason' in outcome && { reason: outcome.reason }),
        finishedAt: new Date().toISOString(),
      };
    },
    failed: (error) => ({
      ...base(),
      ...stillOpen(error),
      status: 'failed',
      reason: error.message,
      finishedAt: new Date().toISOString(),
    }),
    interrupted: (error, at) => ({
      ...base(),
      ...stillOpen(error),
      status: 'retrying',
      reason: error.message,
      nextAttemptAt: new Date(at).toISOString(),
    }),
  };
}

/** Whether what a step sent may have been taken on although it failed. */
export function mayHaveTakenEffect(error: StepFailure): boolean {
  if (error instanceof SimpleMdmError) return error.failure.mayHaveTakenEffect;
  return error instanceof StepTimeoutError || error instanceof RetryLaterError;
}
