import type { SimpleMdmError } from '../simplemdm/errors.js';
import type { JobHandle } from './job-handle.js';
import type { FailureReason, JobFailure, JobRetry } from './job-outcome.js';

/** Why an attempt failed. */
export interface AttemptFailure extends FailureReason {
  /** The earliest time for a retry in epoch milliseconds, if the service that was called named one. */
  readonly notBefore?: number | undefined;
}

type Attempt = Pick<JobHandle<unknown>, 'isLastAttempt' | 'retryAt'>;

/**
 * Maps a failed SimpleMDM call to the outcome of the job that made it.
 *
 * - The process stops: `requeue`.
 * - The account is unavailable (401, 429, paused): `retry` without using up an attempt.
 * - The failure may pass (no response, 408, 5xx): `retry`, until the attempts are used up.
 * - Anything else: `failed`.
 */
export function outcomeOfApiError(error: SimpleMdmError, job: Attempt): JobRetry | JobFailure {
  const { message: reason, code, failure } = error;
  if (failure.kind === 'stopped') return { kind: 'requeue', reason };
  if (error.isAccountUnavailable)
    return {
      kind: 'retry',
      at: job.retryAt(failure.retryAt),
      countsAttempt: false,
      isAccountUnavailable: true,
      reason,
      code,
    };
  if (!error.isRetryable) return { kind: 'failed', reason, code };
  return retryOrFail({ reason, code, notBefore: failure.retryAt }, job);
}

/** Retries a job and uses up an attempt; fails the job when this attempt is the last one. */
export function retryOrFail(
  { reason, code, notBefore }: AttemptFailure,
  job: Attempt,
): JobRetry | JobFailure {
  return job.isLastAttempt
    ? { kind: 'failed', reason, code }
    : { kind: 'retry', at: job.retryAt(notBefore), countsAttempt: true, reason, code };
}
