import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** Keeps the schedules in Redis in sync with the live rules. */
export interface ScheduleSync {
  /** Call it when the rules have changed. Returns without waiting; retries until the sync succeeds. */
  readonly requestSync: () => void;
  readonly stop: () => void;
}

const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** @param sync - Writes the schedules of the live rules to Redis. */
export function startScheduleSync(sync: () => Promise<void>, logger: Logger): ScheduleSync {
  const stopping = new AbortController();
  const { signal } = stopping;
  const isStopped = (): boolean => signal.aborted;
  let requests = 0;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    let pauseMs = MIN_RETRY_MS;
    while (!isStopped()) {
      const requestsBefore = requests;
      try {
        await sync();
        // The rules may have changed during the sync.
        if (requestsBefore === requests) break;
        pauseMs = MIN_RETRY_MS;
      } catch (error) {
        if (isStopped()) break;
        logger.error(
          { code: 'schedule/sync-failed', reason: errorText(error) },
          'the schedules could not be written to Redis; retrying',
        );
        await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
      }
    }
    running = undefined;
  };
  return {
    requestSync: () => {
      requests += 1;
      running ??= run();
    },
    stop: () => stopping.abort(),
  };
}
