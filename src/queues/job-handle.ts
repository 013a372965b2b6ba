import type { OwnedScript } from './owned-script.js';
import type { ScriptPart } from './script-parts.js';

/** The place of a job in the window of its account. */
export interface JobPlace {
  /** For a script that ends the job and leaves the window in the same step. */
  readonly part: ScriptPart;
  /** Tells the worker that the script has done so. */
  readonly left: () => void;
}

/** A job as its handler sees it. */
export interface JobHandle<T> {
  readonly id: string;
  readonly data: T;
  /** Undefined for a job that is in no window. */
  readonly place?: JobPlace;
  /** When the job was due, in epoch milliseconds. */
  readonly scheduledAt: number;
  /** How many attempts are used up, this one included. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
  /**
   * Saves the job's data, so that a retry or another process continues from it.
   *
   * @throws LostJobError when another worker has the job.
   */
  readonly save: (data: T) => Promise<void>;
  /**
   * Runs a script that saves the data and what belongs to it in one step, and gives its result.
   *
   * @throws LostJobError when another worker has the job. The script has done nothing then.
   */
  readonly saveWith: (script: OwnedScript, data: T, parts: readonly ScriptPart[]) => Promise<unknown>;
  /**
   * Renews the lock of the job. Call it right before something that must not happen twice.
   *
   * @throws LostJobError when another worker has the job, because this one was cut off from Redis for too long.
   */
  readonly confirmOwnership: () => Promise<void>;
  /** When to retry, in epoch milliseconds; not before the given time. */
  readonly retryAt: (notBefore?: number) => number;
}
