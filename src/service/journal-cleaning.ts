import type { Settings } from '../config/settings.js';
import type { ShardStores } from '../coordination/shard-stores.js';
import { createJanitor } from '../journal/janitor.js';
import type { DeletedDeadLetter } from '../journal/janitor.js';
import { isRedisUnreachable } from '../queues/connection.js';
import { runId } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import type { Logger } from '../telemetry/logger.js';

/** A pause between two looks at the journal. A look that finds nothing to delete takes Redis less than a millisecond. */
const PAUSE_MS = 2000;

const BYTES_PER_MB = 1024 * 1024;

/** What cleaning the journal needs. */
export interface JournalCleaningOptions {
  readonly settings: Settings;
  readonly stores: ShardStores;
  readonly isReady: () => boolean;
  readonly logger: Logger;
}

/**
 * Deletes old events from the journal again and again. Every process does this, so that the journal stays bounded while no worker runs.
 *
 * @returns How to stop. A deletion that is under way ends first.
 */
export function startJournalCleaning({ settings, stores, isReady, logger }: JournalCleaningOptions): {
  readonly stop: () => Promise<void>;
} {
  const janitor = createJanitor({
    shards: stores.shards,
    retention: retentionOf(settings),
    limits: { events: settings.KEEP_EVENTS, bytes: settings.KEEP_EVENTS_MB * BYTES_PER_MB },
    onDeadLetterDeleted: (deadLetter) => removeJobs(deadLetter, stores),
  });
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const clean = async (): Promise<void> => {
    try {
      if (isReady()) await janitor.clean();
    } catch (error) {
      // The next call tries again; the connection reports the loss of Redis.
      if (!isRedisUnreachable(error))
        logger.error({ code: 'service/journal-not-cleaned', err: error }, 'old events could not be deleted');
    }
    schedule();
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = clean();
    }, PAUSE_MS);
    timer.unref();
  };
  schedule();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}

/** A dead letter without its trace cannot be replayed, so its jobs are of no use. */
async function removeJobs(
  { event, hasFailed, rules }: DeletedDeadLetter,
  stores: ShardStores,
): Promise<void> {
  const { events, runs } = stores.of(event.account);
  if (hasFailed) await events.remove(event.id);
  for (const rule of rules) await runs.remove(runId(event.id, rule));
}
