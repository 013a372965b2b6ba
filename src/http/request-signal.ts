/** Why a request was aborted; undefined when it was not. */
export type AbortCause = 'timeout' | 'stopped' | undefined;

/** An abort signal for one request. */
export interface RequestSignal {
  readonly signal: AbortSignal;
  readonly abortCause: () => AbortCause;
  /** Removes the timeout once the response has begun, because a response may be long. */
  readonly clearTimeout: () => void;
  /** Releases the timer and the listener. Call it when the request has ended, whatever the result. */
  readonly dispose: () => void;
}

/**
 * Creates a signal for one request. A timeout or the stop of the process aborts it.
 *
 * `AbortSignal.any` leaks memory in the long-lived stop signal for each request.
 *
 * @param timeoutMs - Undefined: no timeout.
 */
export function requestSignal(timeoutMs: number | undefined, stop: AbortSignal | undefined): RequestSignal {
  const controller = new AbortController();
  let cause: AbortCause;
  const abort = (why: AbortCause): void => {
    cause ??= why;
    controller.abort();
  };
  const onStop = (): void => abort('stopped');
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => abort('timeout'), timeoutMs);
  stop?.addEventListener('abort', onStop, { once: true });
  return {
    signal: controller.signal,
    abortCause: () => cause,
    clearTimeout: () => clearTimeout(timer),
    dispose: () => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', onStop);
    },
  };
}
