const MINUTE_MS = 60_000;

/** How long something that a job needs may be missing from the rule files. */
export interface GracePeriod {
  readonly lengthMs: number;
  readonly recheckMs: number;
}

/**
 * Rule files are replaced one by one, and in a deployment the processes load them at different times. A job whose rule or channel is
 * missing therefore waits before it gives up.
 */
export const GRACE_PERIODS = {
  /** A run whose rule was removed. */
  run: { lengthMs: 10 * MINUTE_MS, recheckMs: 5000 },
  /** A tick or a sweep of a rule that this worker does not have. */
  schedule: { lengthMs: 5 * MINUTE_MS, recheckMs: 5000 },
  /** Messages of a channel that was removed. */
  channel: { lengthMs: 10 * MINUTE_MS, recheckMs: 2000 },
} as const satisfies Readonly<Record<string, GracePeriod>>;

/**
 * When to check again for something that is missing.
 *
 * @param missingSince - Epoch milliseconds.
 * @returns Epoch milliseconds; undefined when the grace period is over.
 */
export function nextGraceCheck(
  missingSince: number,
  { lengthMs, recheckMs }: GracePeriod,
  now = Date.now(),
): number | undefined {
  return now - missingSince < lengthMs ? now + recheckMs : undefined;
}
