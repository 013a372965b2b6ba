import type { JobHandle } from '../queues/worker.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { TryLaterError } from './action.js';
import type { Pause } from './run-context.js';
import type { StepFailure } from './step-attempt.js';

/** When to try again after a failure; undefined when it will not pass, or has been tried often enough. */
export function pauseAfter(
  error: StepFailure,
  job: Pick<JobHandle<unknown>, 'isLastAttempt' | 'retryAt'>,
  stop: AbortSignal,
): Pause | undefined {
  if (error instanceof TryLaterError) {
    // What the stop of the process broke off is no failure.
    if (stop.aborted) return { at: Date.now(), costs: 'hand_back' };
    return job.isLastAttempt ? undefined : { at: job.retryAt(error.notBefore), costs: 'attempt' };
  }
  if (!(error instanceof SimpleMdmError)) return undefined;
  const { failure, accountUnavailable, mayPassLater } = error;
  if (failure.kind === 'stopped') return { at: Date.now(), costs: 'hand_back' };
  if (accountUnavailable) return { at: job.retryAt(failure.retryAt), costs: 'nothing' };
  return mayPassLater && !job.isLastAttempt
    ? { at: job.retryAt(failure.retryAt), costs: 'attempt' }
    : undefined;
}
