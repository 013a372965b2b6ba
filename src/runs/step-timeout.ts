import { StepTimeoutError } from './attempt-record.js';

/** The time limit of an attempt at a step. */
export interface StepTimeout {
  /** Aborted when the time limit is reached or the process stops. */
  readonly signal: AbortSignal;
  /** Rejects when the time limit is reached. */
  readonly expired: Promise<never>;
  /** @throws StepTimeoutError when the time limit has been reached. */
  readonly throwIfExpired: () => void;
  readonly clear: () => void;
}

/** The maximum of `setTimeout`, 25 days. No attempt lasts that long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @param deadline - Epoch milliseconds; undefined for no limit. */
export function startTimeout(deadline: number | undefined, now: Date, stop: AbortSignal): StepTimeout {
  const controller = new AbortController();
  const onStop = (): void => controller.abort();
  let timeoutError: StepTimeoutError | undefined;
  let timer: NodeJS.Timeout | undefined;
  if (stop.aborted) controller.abort();
  stop.addEventListener('abort', onStop, { once: true });
  const expired = new Promise<never>((_resolve, reject) => {
    const ms = deadline === undefined ? Infinity : Math.max(deadline - now.getTime(), 0);
    if (ms > MAX_TIMER_MS) return;
    timer = setTimeout(() => {
      timeoutError = new StepTimeoutError('the step timed out (timeout)');
      controller.abort(timeoutError);
      reject(timeoutError);
    }, ms);
  });
  // Without a handler, a late rejection would end the process.
  expired.catch(() => undefined);
  return {
    signal: controller.signal,
    expired,
    throwIfExpired: () => {
      if (timeoutError !== undefined) throw timeoutError;
    },
    clear: () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}
