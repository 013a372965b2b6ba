import { StepTimeoutError } from './attempt-record.js';

/** What bounds an attempt at a step. */
export interface StepTimeout {
  /** Aborted when the time is up or the process stops. */
  readonly signal: AbortSignal;
  /** Rejects when the time is up. */
  readonly expired: Promise<never>;
  /** @throws StepTimedOut when the time is up. */
  readonly throwIfExpired: () => void;
  readonly clear: () => void;
}

/** A timer takes no more than this; no attempt lasts so long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @param deadline - Epoch milliseconds; undefined when there is none. */
export function startTimeout(deadline: number | undefined, now: Date, stop: AbortSignal): StepTimeout {
  const controller = new AbortController();
  const onStop = (): void => controller.abort();
  let over: StepTimeoutError | undefined;
  let timer: NodeJS.Timeout | undefined;
  if (stop.aborted) controller.abort();
  stop.addEventListener('abort', onStop, { once: true });
  const expired = new Promise<never>((_resolve, reject) => {
    const ms = deadline === undefined ? Infinity : Math.max(deadline - now.getTime(), 0);
    if (ms > MAX_TIMER_MS) return;
    timer = setTimeout(() => {
      over = new StepTimeoutError('it used up its time (timeout)');
      controller.abort(over);
      reject(over);
    }, ms);
  });
  // Nobody may be waiting for it any more.
  expired.catch(() => undefined);
  return {
    signal: controller.signal,
    expired,
    throwIfExpired: () => {
      if (over !== undefined) throw over;
    },
    clear: () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}
