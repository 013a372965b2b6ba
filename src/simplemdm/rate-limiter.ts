import { setTimeout as delay } from 'node:timers/promises';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './error-mapping.js';

/** How many calls an account may make. */
export interface Rate {
  readonly perSecond: number;
  /** How many may be made at once after a rest. */
  readonly burst: number;
}

/** The account makes no calls for a while. */
export interface AccountPause {
  /** Epoch milliseconds. */
  readonly until: number;
  /** The answer that brought it about; undefined when the budget itself is spent for longer than a call waits. */
  readonly status?: number | undefined;
  readonly reason: string;
}

/** A call may be made after a wait, or the account is paused. */
export type Reservation = { readonly waitMs: number } | { readonly paused: AccountPause };

/** The calls that everyone who shares it may make to one account. */
export interface RateLimiter {
  /** Takes the next turn. It is taken for good: whoever does not use it has wasted it. */
  readonly reserve: () => Promise<Reservation>;
  /** The pause that the account is in. */
  readonly paused: () => Promise<AccountPause | undefined>;
  /** Pauses the account; a longer pause that it is in already stays. */
  readonly pause: (pause: AccountPause) => Promise<void>;
}

/** No call stands in line longer than this; a job that is told to come back later frees its worker meanwhile. */
export const MAX_WAIT_MS = 30_000;

/**
 * The pause for a call that would stand in line for too long.
 *
 * @param until - When its turn would have come, in epoch milliseconds.
 */
export function waitTooLong(until: number): AccountPause {
  return { until, reason: 'the rate budget of the account (API_RATE) is spent for now' };
}

/**
 * A budget within this process, by the generic cell rate algorithm (a token bucket that keeps one time in place of a count).
 *
 * @param now - Epoch milliseconds.
 */
export function createLocalRateLimiter(
  { perSecond, burst }: Rate,
  now: () => number = Date.now,
): RateLimiter {
  const interval = 1000 / perSecond;
  let free = 0;
  let pause: AccountPause | undefined;
  const paused = (): AccountPause | undefined =>
    pause !== undefined && now() < pause.until ? pause : undefined;
  return {
    reserve: () => {
      const current = paused();
      if (current !== undefined) return Promise.resolve({ paused: current });
      const next = Math.max(free, now()) + interval;
      const waitMs = Math.max(0, next - burst * interval - now());
      if (waitMs > MAX_WAIT_MS) return Promise.resolve({ paused: waitTooLong(now() + waitMs) });
      free = next;
      return Promise.resolve({ waitMs });
    },
    paused: () => Promise.resolve(paused()),
    pause: (next) => {
      if (next.until > (pause?.until ?? 0)) pause = next;
      return Promise.resolve();
    },
  };
}

/** How a call waits for its turn. */
export interface WaitOptions {
  readonly now: () => number;
  readonly waitOutPauseMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until a call may be made.
 *
 * @throws SimpleMdmError of kind `paused` when the account is paused for longer than the call waits, `stopped` when the process stops.
 */
export async function waitForSlot(
  budget: RateLimiter,
  about: CallIdentity,
  { now, waitOutPauseMs, signal }: WaitOptions,
): Promise<void> {
  const deadline = now() + waitOutPauseMs;
  for (;;) {
    const turn = await budget.reserve();
    let pause: AccountPause | undefined;
    if ('paused' in turn) pause = turn.paused;
    else if (turn.waitMs > 0) {
      await wait(turn.waitMs, about, signal);
      // Someone else's 429 may have come in while we stood in line.
      pause = await budget.paused();
    }
    if (pause === undefined) return;
    if (pause.status === 401 || pause.until > deadline) throw pausedError(about, pause);
    await wait(pause.until - now(), about, signal);
  }
}

async function wait(ms: number, about: CallIdentity, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal && { signal });
  } catch (cause) {
    throw new SimpleMdmError({ ...about, kind: 'stopped', mayHaveTakenEffect: false }, { cause });
  }
}

function pausedError(about: CallIdentity, { reason, until }: AccountPause): SimpleMdmError {
  return new SimpleMdmError({
    ...about,
    kind: 'paused',
    detail: reason,
    mayHaveTakenEffect: false,
    retryAt: until,
  });
}
