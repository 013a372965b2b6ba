import { setTimeout as delay } from 'node:timers/promises';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';

/** How many calls an account may make. */
export interface Rate {
  readonly perSecond: number;
  /** How many calls may be made immediately after an idle time. */
  readonly burst: number;
}

/** A time during which the account makes no calls. */
export interface AccountPause {
  /** Epoch milliseconds. */
  readonly until: number;
  /** The status of the response that caused the pause; undefined when the rate is used up. */
  readonly status?: number | undefined;
  readonly reason: string;
}

/** A slot for a call after a wait, or the pause of the account. */
export type Reservation = { readonly waitMs: number } | { readonly paused: AccountPause };

/** Limits the calls to one account, for all clients that share the limiter. */
export interface RateLimiter {
  /** Reserves the next slot. A slot cannot be returned. */
  readonly reserve: () => Promise<Reservation>;
  /** The current pause of the account. */
  readonly paused: () => Promise<AccountPause | undefined>;
  /** Pauses the account. A longer pause that is in effect stays. */
  readonly pause: (pause: AccountPause) => Promise<void>;
}

/** The longest wait for a slot. A job with a longer wait goes back to the queue, which frees its worker. */
export const MAX_WAIT_MS = 30_000;

/**
 * The pause for a call that would wait too long for a slot.
 *
 * @param until - When the slot would come, in epoch milliseconds.
 */
export function rateExhausted(until: number): AccountPause {
  return { until, reason: 'the rate limit of the account (API_RATE) is used up for now' };
}

/**
 * A rate limiter within this process. Uses the generic cell rate algorithm: a token bucket that stores one time instead of a
 * count.
 *
 * @param now - Epoch milliseconds.
 */
export function createLocalRateLimiter(
  { perSecond, burst }: Rate,
  now: () => number = Date.now,
): RateLimiter {
  const interval = 1000 / perSecond;
  /** When the bucket is full again. */
  let fullAt = 0;
  let pause: AccountPause | undefined;
  const paused = (): AccountPause | undefined =>
    pause !== undefined && now() < pause.until ? pause : undefined;
  return {
    reserve: () => {
      const current = paused();
      if (current !== undefined) return Promise.resolve({ paused: current });
      const next = Math.max(fullAt, now()) + interval;
      const waitMs = Math.max(0, next - burst * interval - now());
      if (waitMs > MAX_WAIT_MS) return Promise.resolve({ paused: rateExhausted(now() + waitMs) });
      fullAt = next;
      return Promise.resolve({ waitMs });
    },
    paused: () => Promise.resolve(paused()),
    pause: (next) => {
      if (next.until > (pause?.until ?? 0)) pause = next;
      return Promise.resolve();
    },
  };
}

/** How a call waits for its slot. */
export interface SlotOptions {
  readonly now: () => number;
  /** The longest wait for the end of a pause. */
  readonly maxPauseWaitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until a call may be made.
 *
 * @throws SimpleMdmError of kind `paused` when the pause of the account is longer than the call waits, or follows a 401; of kind
 *   `stopped` when the process stops.
 */
export async function waitForSlot(
  limiter: RateLimiter,
  identity: CallIdentity,
  { now, maxPauseWaitMs, signal }: SlotOptions,
): Promise<void> {
  const deadline = now() + maxPauseWaitMs;
  for (;;) {
    const reservation = await limiter.reserve();
    let pause: AccountPause | undefined;
    if ('paused' in reservation) pause = reservation.paused;
    else if (reservation.waitMs > 0) {
      await wait(reservation.waitMs, identity, signal);
      // Another call may have received a 429 during the wait.
      pause = await limiter.paused();
    }
    if (pause === undefined) return;
    if (pause.status === 401 || pause.until > deadline) throw pausedError(identity, pause);
    await wait(pause.until - now(), identity, signal);
  }
}

async function wait(ms: number, identity: CallIdentity, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal && { signal });
  } catch (cause) {
    throw new SimpleMdmError({ ...identity, kind: 'stopped', mayHaveTakenEffect: false }, { cause });
  }
}

function pausedError(identity: CallIdentity, { reason, until }: AccountPause): SimpleMdmError {
  return new SimpleMdmError({
    ...identity,
    kind: 'paused',
    detail: reason,
    mayHaveTakenEffect: false,
    retryAt: until,
  });
}
