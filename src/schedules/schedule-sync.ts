import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** Keeps the schedules in Redis those of the rules in force. */
export interface ScheduleSync {
  /** To be called when other rules are in force; returns at once, and tries until it is done. */
  readonly requestSync: () => void;
  readonly stop: () => void;
}

const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** @param sync - Makes the schedules those of the rules that are in force when it is called. */
export function startScheduleSync(sync: () => Promise<void>, logger: Logger): ScheduleSync {
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopped = (): boolean => signal.aborted;
  let wanted = 0;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    let pause = MIN_RETRY_MS;
    while (!stopped()) {
      const begun = wanted;
      try {
        await sync();
        // The rules may have changed meanwhile.
        if (begun === wanted) break;
        pause = MIN_RETRY_MS;
      } catch (error) {
        if (stopped()) break;
        logger.error(
          { reason: errorText(error) },
          'the schedules of the rules could not be set; trying again',
        );
        await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
        pause = Math.min(pause * 2, MAX_RETRY_MS);
      }
    }
    running = undefined;
  };
  return {
    requestSync: () => {
      wanted += 1;
      running ??= run();
    },
    stop: () => stopping.abort(),
  };
}
