import { CHECK_INTERVAL_MS } from '../coordination/backlog.js';
import type { Backlog } from '../coordination/backlog.js';
import type { RedisClient } from '../queues/shards.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** What {@link watchBacklogs} needs. */
export interface WatchOptions {
  readonly redis: Pick<RedisClient, 'status'>;
  readonly backlogs: readonly Backlog[];
  readonly logger: Logger;
}

/** Checks backlogs again and again. Returns how to stop that. */
export function watchBacklogs({ redis, backlogs, logger }: WatchOptions): () => void {
  const check = async (): Promise<void> => {
    for (const backlog of backlogs) {
      const freed = await backlog.check();
      if (freed > 0) logger.info({ freed }, 'places of jobs that are no longer in flight are free again');
    }
  };
  const interval = setInterval(() => {
    // The next check does the work of one that failed.
    if (redis.status === 'ready')
      check().catch((error: unknown) =>
        logger.debug({ reason: errorText(error) }, 'the backlogs could not be checked'),
      );
  }, CHECK_INTERVAL_MS);
  interval.unref();
  return () => clearInterval(interval);
}
