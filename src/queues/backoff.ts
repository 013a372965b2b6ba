/** How failed jobs are retried. */
export interface RetryPolicy {
  /** The attempts before a job becomes a dead letter. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * The delay before the next attempt: exponential backoff with a cap and "equal jitter" (half fixed, half random), so that jobs that
 * fail together in an outage do not retry together.
 *
 * @param attemptsMade - How many attempts have failed, from 1.
 * @param random - A number from 0 to below 1.
 * @param minDelayMs - The delay that SimpleMDM or another service asked for: never shortened, spread over up to a fifth more.
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function retryDelay(
  policy: RetryPolicy,
  attemptsMade: number,
  random: number,
  minDelayMs = 0,
): number {
  const exponential = Math.min(policy.baseMs * 2 ** Math.min(attemptsMade - 1, 30), policy.maxMs);
  const backoff = exponential / 2 + (exponential / 2) * random;
  return Math.round(Math.max(backoff, minDelayMs * (1 + random / 5)));
}
