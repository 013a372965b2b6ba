import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** The order of a stop: first what accepts work, then what does work, then what both need. */
export const STOP_ORDER = [
  'HTTP listener',
  'workers',
  'worker queues',
  'live rules',
  'rule reporting',
  'journal cleaning',
  'queues',
  'Redis connections',
  'private Redis',
] as const;

/** A part of the service that is stopped as a whole. */
export type ServicePart = (typeof STOP_ORDER)[number];

/** Collects how to stop each part while the service starts, and stops all of them in {@link STOP_ORDER}. */
export interface Shutdown {
  readonly add: (part: ServicePart, stop: () => Promise<unknown>) => void;
  /** Stops what has started so far. A second call waits for the first. A part that fails to stop does not keep the others running. */
  readonly run: () => Promise<void>;
  readonly isStopping: () => boolean;
}

/** Creates an empty shutdown. */
export function createShutdown(logger: Logger): Shutdown {
  const parts = new Map<ServicePart, (() => Promise<unknown>)[]>();
  let running: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    for (const part of STOP_ORDER) {
      for (const stop of parts.get(part) ?? []) {
        await stop().catch((error: unknown) =>
          logger.error(
            { code: 'service/unclean-stop', part, reason: errorText(error) },
            'a part of the service did not stop cleanly',
          ),
        );
      }
    }
    if (parts.has('Redis connections')) logger.info('mdm-reflex has stopped');
    logger.flush();
  };
  return {
    add: (part, stop) => {
      parts.set(part, [...(parts.get(part) ?? []), stop]);
    },
    run: () => (running ??= stopAll()),
    isStopping: () => running !== undefined,
  };
}
