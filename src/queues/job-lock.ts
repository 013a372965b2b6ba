/** Workers look for expired locks this many times within the life of a lock. */
const CHECKS_PER_LOCK = 6;

/** The time between two looks for expired locks, in milliseconds. All workers of a queue share the looks. */
export function stalledCheckMs(lockMs: number): number {
  return Math.ceil(lockMs / CHECKS_PER_LOCK);
}

/**
 * The longest time from the death of a worker until another one resumes its jobs, in milliseconds: a lock that was renewed right before,
 * then the look that finds it expired. That look can be one interval late when the worker that made the last one has died.
 */
export function longestResumeMs(lockMs: number): number {
  return lockMs + 2 * stalledCheckMs(lockMs);
}
