/** A job as its handler sees it. */
export interface JobHandle<T> {
  readonly id: string;
  readonly data: T;
  /** When the job was due, in epoch milliseconds. */
  readonly scheduledAt: number;
  /** How many attempts are used up, this one included. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
  /** Saves the job's data, so that a retry or another process continues from it. */
  readonly save: (data: T) => Promise<void>;
  /**
   * Renews the lock of the job. Call it right before something that must not happen twice.
   *
   * @throws LostJobError when another worker has the job, because this one was cut off from Redis for too long.
   */
  readonly confirmOwnership: () => Promise<void>;
  /** When to retry, in epoch milliseconds; not before the given time. */
  readonly retryAt: (notBefore?: number) => number;
}
