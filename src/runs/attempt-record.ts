import type { AttemptRecord, InventoryWait } from '../queues/jobs.js';
import type { ErrorCode } from '../errors/registry.js';
import type { ApiCall } from '../http/api-call.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, RetryLaterError } from '../actions/action.js';
import type { ActionResult } from '../actions/action.js';

/** The errors that fail a step. Any other error fails the attempt at the whole run. */
export type StepFailure =
  SimpleMdmError | StepError | RetryLaterError | StepTimeoutError | LookupUnavailableError;

/** A step that timed out. A call that was in progress may still take effect. */
export class StepTimeoutError extends Error {
  override readonly name = 'StepTimeoutError';
  readonly code: ErrorCode = 'step/timeout';
}

/** Whether an error fails only its step. */
export function isStepFailure(error: unknown): error is StepFailure {
  return (
    error instanceof SimpleMdmError ||
    error instanceof StepError ||
    error instanceof RetryLaterError ||
    error instanceof LookupUnavailableError ||
    error instanceof StepTimeoutError
  );
}

/** One attempt at a step, or at one item of its list, and the records that it can lead to. */
export interface StepAttempt {
  readonly calls: ApiCall[];
  readonly before: AttemptRecord;
  /** When the first attempt started. A replay of a failed step starts anew. */
  readonly startedAt: string;
  /** The output of the step when it started to wait. */
  readonly previousOutput: AttemptRecord['output'];
  /** The record while a call is in progress. */
  readonly inFlight: () => AttemptRecord;
  /** The record of a step that waits for inventory. */
  readonly awaitingInventory: (reason: string, wait: InventoryWait, at: number) => AttemptRecord;
  /** The step goes on: a wait for inventory, if there was one, is over. Returns the time that the action counts from. */
  readonly begin: (now: Date) => Date;
  /** @param sealed - The secrets of the output, encrypted. */
  readonly finished: (result: ActionResult, sealed?: string) => AttemptRecord;
  readonly failed: (error: StepFailure) => AttemptRecord;
  /** @param at - The next attempt, in epoch milliseconds. */
  readonly retrying: (error: StepFailure, at: number) => AttemptRecord;
}

/** A step that was retried all day has made hundreds of calls. */
const MAX_CALLS_KEPT = 10;

/** Starts an attempt. */
export function startAttempt(before: AttemptRecord, now: Date): StepAttempt {
  const calls: ApiCall[] = [];
  let callStarted = false;
  const {
    reason: _reason,
    code: _code,
    nextAttemptAt: _next,
    finishedAt: _finished,
    output,
    sealed: _sealed,
    startedAt,
    inDoubtSince,
    ...kept
  } = before;
  const continues =
    before.status === 'waiting' || before.status === 'retrying' || before.status === 'running';
  const firstStart = (continues ? startedAt : undefined) ?? now.toISOString();
  let waitEndedAt = before.inventoryWaitEndedAt;
  const previousOutput = continues ? output : undefined;
  const base = (): AttemptRecord => ({
    ...kept,
    ...(previousOutput && { output: previousOutput }),
    ...(waitEndedAt !== undefined && { inventoryWaitEndedAt: waitEndedAt }),
    status: 'running',
    // A check after a wait is not a new attempt.
    attempts: before.attempts + (before.status === 'waiting' ? 0 : 1),
    startedAt: firstStart,
    calls: [...before.calls, ...calls].slice(-MAX_CALLS_KEPT),
  });
  const doubtStart = inDoubtSince ?? now.toISOString();
  // The doubt outlives a failed run: a replay must look for the effect first.
  const doubtAfter = (error: StepFailure): Pick<AttemptRecord, 'inDoubtSince'> => {
    const since = callStarted && mayHaveTakenEffect(error) ? doubtStart : inDoubtSince;
    return since === undefined ? {} : { inDoubtSince: since };
  };
  return {
    calls,
    before,
    startedAt: firstStart,
    previousOutput,
    inFlight: () => {
      callStarted = true;
      return { ...base(), inDoubtSince: doubtStart };
    },
    awaitingInventory: (reason, wait, at) => ({
      ...base(),
      status: 'waiting',
      hasWaited: true,
      reason,
      code: 'event/inventory-pending',
      nextAttemptAt: new Date(at).toISOString(),
      inventoryWait: wait,
    }),
    begin: (time) => {
      if (before.inventoryWait !== undefined) waitEndedAt ??= time.toISOString();
      return new Date(waitEndedAt !== undefined && waitEndedAt > firstStart ? waitEndedAt : firstStart);
    },
    finished: (result, sealed) => {
      const record = {
        ...base(),
        ...('output' in result && { output: { ...result.output } }),
        ...(sealed !== undefined && { sealed }),
      };
      if (result.status === 'waiting') {
        const nextAttemptAt = new Date(result.until).toISOString();
        return { ...record, status: 'waiting', hasWaited: true, reason: result.reason, nextAttemptAt };
      }
      return {
        ...record,
        status: result.status,
        ...('reason' in result && { reason: result.reason }),
        ...('code' in result && { code: result.code }),
        finishedAt: new Date().toISOString(),
      };
    },
    failed: (error) => ({
      ...base(),
      ...doubtAfter(error),
      status: 'failed',
      reason: error.message,
      code: error.code,
      finishedAt: new Date().toISOString(),
    }),
    retrying: (error, at) => ({
      ...base(),
      ...doubtAfter(error),
      status: 'retrying',
      reason: error.message,
      code: error.code,
      nextAttemptAt: new Date(at).toISOString(),
    }),
  };
}

/** Whether a failed step may have taken effect. */
export function mayHaveTakenEffect(error: StepFailure): boolean {
  if (error instanceof SimpleMdmError) return error.failure.mayHaveTakenEffect;
  return error instanceof StepTimeoutError || error instanceof RetryLaterError;
}
