import { RetryLaterError } from '../actions/action.js';
import { outcomeOfApiError, retryOrFail } from '../queues/outcome-of-error.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { JobFailure, JobRetry } from '../queues/job-outcome.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import type { StepFailure } from './attempt-record.js';

type Attempt = Pick<JobHandle<unknown>, 'isLastAttempt' | 'retryAt'>;

/**
 * How to retry a failed step; undefined when a retry cannot help or the attempts are used up.
 *
 * @param stop - Aborted when the process stops.
 */
export function stepRetry(error: StepFailure, job: Attempt, stop: AbortSignal): JobRetry | undefined {
  const outcome = outcomeOf(error, job, stop);
  return outcome?.kind === 'failed' ? undefined : outcome;
}

function outcomeOf(error: StepFailure, job: Attempt, stop: AbortSignal): JobRetry | JobFailure | undefined {
  if (error instanceof SimpleMdmError) return outcomeOfApiError(error, job);
  if (!(error instanceof RetryLaterError || error instanceof LookupUnavailableError)) return undefined;
  const { message: reason, code, notBefore } = error;
  // The stop of the process canceled the request, so the attempt does not count.
  if (stop.aborted) return { kind: 'requeue', reason };
  return retryOrFail({ reason, code, notBefore }, job);
}
