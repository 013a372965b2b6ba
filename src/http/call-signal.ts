/** Why a call was broken off, if it was. */
export type BrokenOff = 'timeout' | 'stopped' | undefined;

/** What bounds one call. */
export interface CallLimits {
  readonly signal: AbortSignal;
  readonly reason: () => BrokenOff;
  /** From here on only the stop of the process breaks the call off: its answer has begun and may be long. */
  readonly liftTimeLimit: () => void;
  /** To be called when the call is over, however it ended. */
  readonly done: () => void;
}

/**
 * A signal for one call that is aborted by a time limit, if there is one, or by the stop of the process.
 *
 * `AbortSignal.any` would do, but leaves something behind in the long-lived signal for every call that was ever made.
 */
export function callSignal(timeoutMs: number | undefined, stop: AbortSignal | undefined): CallLimits {
  const controller = new AbortController();
  let reason: BrokenOff;
  const breakOff = (why: BrokenOff): void => {
    reason ??= why;
    controller.abort();
  };
  const onStop = (): void => breakOff('stopped');
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => breakOff('timeout'), timeoutMs);
  stop?.addEventListener('abort', onStop, { once: true });
  return {
    signal: controller.signal,
    reason: () => reason,
    liftTimeLimit: () => clearTimeout(timer),
    done: () => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', onStop);
    },
  };
}
