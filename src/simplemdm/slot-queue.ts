import { setMaxListeners } from 'node:events';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';
import { taskLane } from './lane.js';
import type { TaskLane } from './lane.js';
import { rateExhausted } from './rate-limiter.js';
import type { AccountPause, RateLimiter, Reservation } from './rate-limiter.js';
import { MAX_WAIT_MS } from './token-bucket.js';

/** How calls wait for their slots. */
export interface SlotQueueOptions {
  readonly now: () => number;
  /** The longest wait for the end of a pause. */
  readonly maxPauseWaitMs: number;
  readonly signal?: AbortSignal;
  /** From 0 to below 1. Processes that share a limiter do not ask at the same moments. */
  readonly random?: () => number;
}

/**
 * Waits until a call may be made, in the lane of the task that makes the call.
 *
 * @throws SimpleMdmError of kind `paused` when the account is paused for longer than the call waits, or after a 401, or when no slot came
 *   for a bulk call within {@link MAX_WAIT_MS}; of kind `stopped` when the process stops.
 */
export type WaitForSlot = (identity: CallIdentity) => Promise<void>;

/**
 * The calls of a process to one account that wait for a slot. Interactive calls reserve at once. Bulk calls wait in line: only the first
 * one asks the limiter, so thousands of them cost no more than one.
 */
export function createSlotQueue(
  limiter: RateLimiter,
  { now, maxPauseWaitMs, signal, random = Math.random }: SlotQueueOptions,
): WaitForSlot {
  const line: { wake: () => void }[] = [];
  /** Ends the waits when the process stops. One listener for all of them: a signal warns of many. */
  const stops = new Set<() => void>();
  if (signal !== undefined) {
    setMaxListeners(0, signal);
    signal.addEventListener('abort', () => {
      for (const stop of stops) stop();
    });
  }

  async function reserveInBulk(lane: TaskLane, identity: CallIdentity): Promise<Reservation> {
    const deadline = now() + MAX_WAIT_MS;
    const place = { wake: (): void => undefined };
    line.push(place);
    const wakeUp = (wake: () => void): (() => void) => {
      place.wake = wake;
      return lane.onRaise(wake);
    };
    try {
      for (;;) {
        if (lane.current() === 'interactive') return await limiter.reserve('interactive');
        let ms = deadline - now();
        if (line[0] === place) {
          const answer = await limiter.reserve('bulk');
          if (!('askAgainMs' in answer)) return answer;
          if (answer.askAgainMs > ms) return { paused: rateExhausted(now() + answer.askAgainMs) };
          ms = Math.min(ms, answer.askAgainMs * (1 + random() / 4));
          // Raised while the limiter answered.
          if (lane.current() === 'interactive') continue;
        } else if (ms <= 0) return { paused: rateExhausted(now()) };
        await wait(ms, identity, wakeUp);
      }
    } finally {
      line.splice(line.indexOf(place), 1);
      line[0]?.wake();
    }
  }

  /** Resolves after a time, or earlier when woken. */
  async function wait(
    ms: number,
    identity: CallIdentity,
    wakeUp?: (wake: () => void) => () => void,
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => (): void => {
        clearTimeout(timer);
        stops.delete(stop);
        stopWaking?.();
        settle();
      };
      const stop = end(() =>
        reject(new SimpleMdmError({ ...identity, kind: 'stopped', mayHaveTakenEffect: false })),
      );
      const timer = setTimeout(end(resolve), ms);
      const stopWaking = wakeUp?.(end(resolve));
      stops.add(stop);
      if (signal?.aborted === true) stop();
    });
  }

  return async (identity) => {
    const lane = taskLane();
    const deadline = now() + maxPauseWaitMs;
    for (;;) {
      const reservation =
        lane.current() === 'bulk'
          ? await reserveInBulk(lane, identity)
          : await limiter.reserve('interactive');
      let pause: AccountPause | undefined;
      if ('paused' in reservation) pause = reservation.paused;
      else if ('waitMs' in reservation && reservation.waitMs > 0) {
        await wait(reservation.waitMs, identity);
        // Another call may have received a 429 during the wait.
        pause = await limiter.paused();
      }
      if (pause === undefined) return;
      if (pause.status === 401 || pause.until > deadline) throw pausedError(identity, pause);
      await wait(pause.until - now(), identity);
    }
  };
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
