import type { InventoryWait } from '../queues/jobs.js';

/** The pauses before the first looks at the inventory, in milliseconds. The last one repeats. */
export const DEFAULT_LOOK_PAUSES_MS: readonly number[] = [15_000, 30_000, 60_000, 120_000, 300_000];

/** In a long wait the pause grows with the time waited, so that the number of looks stays small: a 12th is 5 minutes after an hour. */
const SHARE_OF_WAIT = 1 / 12;

/**
 * When to look at the inventory again, in epoch milliseconds. The last look is at the end of the wait.
 *
 * @param looks - How many looks there have been.
 */
export function nextLook(
  { since, until, looks }: { readonly since: number; readonly until: number; readonly looks: number },
  now: number,
  pausesMs: readonly number[] = DEFAULT_LOOK_PAUSES_MS,
): number {
  const pause = pausesMs[Math.min(looks, pausesMs.length) - 1] ?? 0;
  return Math.min(now + Math.max(pause, looks >= pausesMs.length ? (now - since) * SHARE_OF_WAIT : 0), until);
}

/** Whether the time for the next look has come. A job can also run earlier, for another cause. */
export function isLookDue({ nextLookAt }: InventoryWait, now: number): boolean {
  return now >= Date.parse(nextLookAt);
}

/** The state of a wait after a look: the first one starts the wait. */
export function waitAfterLook(
  before: InventoryWait | undefined,
  { since, until }: { readonly since: number; readonly until: number },
  now: number,
  pausesMs: readonly number[] | undefined,
): InventoryWait {
  if (before !== undefined && !isLookDue(before, now)) return before;
  const looks = (before?.looks ?? 0) + 1;
  return {
    since: before?.since ?? new Date(since).toISOString(),
    looks,
    nextLookAt: new Date(nextLook({ since, until, looks }, now, pausesMs)).toISOString(),
  };
}

/** What a rule or a step waits for, in words. */
export function inventoryReason(fields: readonly string[], { since, nextLookAt }: InventoryWait): string {
  return `${waitingFor(fields)}, since ${since}, next look ${nextLookAt}`;
}

/** The start of {@link inventoryReason}, without times. */
export function waitingFor(fields: readonly string[]): string {
  return `waiting for inventory: ${fields.join(', ')}`;
}

/** Why a rule decided although inventory is missing. */
export function notArrived(fields: readonly string[], settleMs: number): string {
  return `${fields.join(', ')} did not arrive within settle (${durationWords(settleMs)})`;
}

function durationWords(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const;
  const unit = units.find(([, length]) => ms >= length && ms % length === 0);
  return unit === undefined ? `${ms / 1000}s` : `${ms / unit[1]}${unit[0]}`;
}
