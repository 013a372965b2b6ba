import type { ErrorCode } from '../errors/registry.js';

/** A job that runs again. */
export type JobRetry =
  | {
      readonly kind: 'retry';
      /** Epoch milliseconds. */
      readonly at: number;
      /** Whether an attempt is used up. False while the job waits for something that is not its fault: a slot, a rate limit, a refused key. */
      readonly countsAttempt: boolean;
      readonly reason: string;
      /** Whether the account answers no job now: the others of the account need not try. */
      readonly isAccountUnavailable?: boolean;
      /** Set when the reason is a problem. */
      readonly code?: ErrorCode;
    }
  /** The process stops: the next free worker continues without delay, and no attempt is used up. */
  | { readonly kind: 'requeue'; readonly reason: string };

/** Why a job failed. */
export interface FailureReason {
  readonly reason: string;
  readonly code: ErrorCode;
}

/** A job that cannot succeed. It becomes a dead letter. */
export interface JobFailure extends FailureReason {
  readonly kind: 'failed';
}

/** The result of one attempt at a job. `kind` is the label `outcome` of `mdm_reflex_job_duration_seconds`. */
export type JobOutcome = { readonly kind: 'completed' } | JobRetry | JobFailure;
