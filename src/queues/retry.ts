/** How failed jobs are tried again. */
export interface RetryPolicy {
  /** How often a job is tried in all before it becomes a dead letter. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * The wait before the next attempt: exponential, capped, with "equal jitter" (half fixed, half random), so that jobs
 * that failed together in an outage do not come back together.
 *
 * @param attemptsMade - How often it has failed so far, from 1.
 * @param random - A number from 0 to below 1.
 * @param notBefore - How long the other side asked us to wait, in milliseconds; never undercut, and spread over a fifth more.
 */
export function retryDelay(policy: RetryPolicy, attemptsMade: number, random: number, notBefore = 0): number {
  const ceiling = Math.min(policy.baseMs * 2 ** Math.min(attemptsMade - 1, 30), policy.maxMs);
  const backoff = ceiling / 2 + (ceiling / 2) * random;
  return Math.round(Math.max(backoff, notBefore * (1 + random / 5)));
}
