/** How often a waiting job checks whether it can continue. */
export interface RecheckBounds {
  /** The interval as a share of the time that the job has waited: the longer the wait, the fewer checks. */
  readonly share: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Milliseconds until the next check of a job that has waited since a time, in epoch milliseconds. */
export function recheckInterval(
  waitingSince: number,
  { share, minMs, maxMs }: RecheckBounds,
  now = Date.now(),
): number {
  return Math.min(Math.max((now - waitingSince) * share, minMs), maxMs);
}
