import type { Settings } from '../config/settings.js';
import { MAX_STEP_DAYS } from '../rules/model/duration.js';

/** Seconds in a day. */
export const DAY_S = 86_400;

/** How long Redis keeps dead letters and traces, and how often a job is attempted until then. */
export interface Retention {
  /** A repeated webhook is recognized for this long. */
  readonly repeatWindowDays: number;
  readonly deadLetterDays: number;
  /** How often a job is attempted before it becomes a dead letter. */
  readonly attempts: number;
}

/** The retention from `REPEAT_WINDOW_DAYS`, `DEAD_LETTER_DAYS` and `RETRY_ATTEMPTS`. */
export function retentionOf(settings: Settings): Retention {
  return {
    repeatWindowDays: settings.REPEAT_WINDOW_DAYS,
    deadLetterDays: settings.DEAD_LETTER_DAYS,
    attempts: settings.RETRY_ATTEMPTS,
  };
}

/** The part of a retention that is a time. */
export type RetentionDays = Pick<Retention, 'repeatWindowDays' | 'deadLetterDays'>;

/** How long the traces of completed events stay, in seconds. Their jobs leave the queue at once. */
export function completedTtlS({ repeatWindowDays }: RetentionDays): number {
  return repeatWindowDays * DAY_S;
}

/** How long dead letters and their traces stay, in seconds. A dead letter also marks a repeated webhook, so it stays as long as the trace of a completed event. */
export function deadLetterTtlS({ repeatWindowDays, deadLetterDays }: RetentionDays): number {
  return Math.max(repeatWindowDays, deadLetterDays) * DAY_S;
}

/** For time in which a job is not processed: the service is stopped, a key is refused, a rule is held. */
const MARGIN_DAYS = 30;

/**
 * How long the state of unfinished work stays in Redis without access, in seconds. An unfinished job accesses its state at each
 * attempt, and each access renews the state. The longest time between two attempts is a waiting step.
 */
export const UNFINISHED_TTL_S = (MAX_STEP_DAYS + MARGIN_DAYS) * DAY_S;

/**
 * How long state that a replay needs stays in Redis without access, in seconds: claims, the causes of events, and the latest run of a
 * concurrency group.
 *
 * A dead letter can be replayed until its trace expires, `deadLetterTtlS` after it failed. The replayed run may then wait before
 * it reads the state: for its rule, its slot, its account. The margin covers that wait. When the run fails once more, the next
 * dead letter has its full time; the access during the replay has renewed the state for it.
 */
export function replayTtlS(retention: RetentionDays): number {
  return Math.max(deadLetterTtlS(retention) + MARGIN_DAYS * DAY_S, UNFINISHED_TTL_S);
}
