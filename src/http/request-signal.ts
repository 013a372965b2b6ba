/** Why a call was broken off, if it was. */
export type AbortCause = 'timeout' | 'stopped' | undefined;

/** What bounds one call. */
export interface RequestSignal {
  readonly signal: AbortSignal;
  readonly reason: () => AbortCause;
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
export function requestSignal(timeoutMs: number | undefined, stop: AbortSignal | undefined): RequestSignal {
  const controller = new AbortController();
  let reason: AbortCause;
  const breakOff = (why: AbortCause): void => {
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
