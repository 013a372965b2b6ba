import { StepTimedOut } from './step-attempt.js';

/** What bounds an attempt at a step. */
export interface TimeLimit {
  /** Aborted when the time is up or the process stops. */
  readonly signal: AbortSignal;
  /** Rejects when the time is up. */
  readonly expired: Promise<never>;
  /** @throws StepTimedOut when the time is up. */
  readonly throwIfOver: () => void;
  readonly done: () => void;
}

/** A timer takes no more than this; no attempt lasts so long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @param deadline - Epoch milliseconds; undefined when there is none. */
export function timeLimit(deadline: number | undefined, now: Date, stop: AbortSignal): TimeLimit {
  const controller = new AbortController();
  const onStop = (): void => controller.abort();
  let over: StepTimedOut | undefined;
  let timer: NodeJS.Timeout | undefined;
  if (stop.aborted) controller.abort();
  stop.addEventListener('abort', onStop, { once: true });
  const expired = new Promise<never>((_resolve, reject) => {
    const ms = deadline === undefined ? Infinity : Math.max(deadline - now.getTime(), 0);
    if (ms > LONGEST_TIMER_MS) return;
    timer = setTimeout(() => {
      over = new StepTimedOut('it used up its time (timeout)');
      controller.abort(over);
      reject(over);
    }, ms);
  });
  // Nobody may be waiting for it any more.
  expired.catch(() => undefined);
  return {
    signal: controller.signal,
    expired,
    throwIfOver: () => {
      if (over !== undefined) throw over;
    },
    done: () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}
