import type { JobHandle } from '../queues/worker.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { RetryLaterError } from '../actions/action.js';
import type { RunDelay } from './run-context.js';
import type { StepFailure } from './attempt-record.js';

/** When to try again after a failure; undefined when it will not pass, or has been tried often enough. */
export function delayAfter(
  error: StepFailure,
  job: Pick<JobHandle<unknown>, 'isLastAttempt' | 'retryAt'>,
  stop: AbortSignal,
): RunDelay | undefined {
  if (error instanceof RetryLaterError) {
    // What the stop of the process broke off is no failure.
    if (stop.aborted) return { at: Date.now(), costs: 'hand_back' };
    return job.isLastAttempt ? undefined : { at: job.retryAt(error.notBefore), costs: 'attempt' };
  }
  if (!(error instanceof SimpleMdmError)) return undefined;
  const { failure, isAccountUnavailable, isRetryable } = error;
  if (failure.kind === 'stopped') return { at: Date.now(), costs: 'hand_back' };
  if (isAccountUnavailable) return { at: job.retryAt(failure.retryAt), costs: 'nothing' };
  return isRetryable && !job.isLastAttempt
    ? { at: job.retryAt(failure.retryAt), costs: 'attempt' }
    : undefined;
}
