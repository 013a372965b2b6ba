import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '../queues/shards.js';
import type { RunningWorker } from '../queues/worker.js';
import type { Logger } from '../telemetry/logger.js';

/** Active jobs have this long to finish; then their API calls are aborted. */
const DRAIN_MS = 11_000;
/** Without Redis no job can finish. */
const DRAIN_WITHOUT_REDIS_MS = 2000;
/** Aborted jobs have this long to return to their queues. */
const HAND_BACK_MS = 3000;

/** What draining needs. */
export interface DrainOptions {
  readonly workers: readonly RunningWorker[];
  readonly redis: RedisClient;
  /** Aborts the API calls and deliveries of active jobs. */
  readonly abort: () => void;
  readonly logger: Logger;
}

/** Stops workers: they take no new jobs, finish the active ones, and hand back what does not finish in time. */
export async function drainWorkers({ workers, redis, abort, logger }: DrainOptions): Promise<void> {
  const closed = Promise.all(workers.map((worker) => worker.close())).then(() => true);
  const closedWithin = (ms: number): Promise<boolean> =>
    Promise.race([closed, delay(ms, false, { ref: false })]);
  if (await closedWithin(redis.status === 'ready' ? DRAIN_MS : DRAIN_WITHOUT_REDIS_MS)) return;
  if (redis.status !== 'ready') {
    logger.warn(
      { code: 'service/jobs-abandoned' },
      'Redis is unreachable, so active jobs cannot be handed back: another worker resumes them when their locks expire',
    );
    for (const worker of workers) worker.abandon();
    return;
  }
  logger.warn(
    { code: 'service/jobs-aborted' },
    'jobs are still active: their API calls are aborted and the jobs return to their queues',
  );
  abort();
  if (await closedWithin(HAND_BACK_MS)) return;
  logger.error(
    { code: 'service/jobs-abandoned' },
    'some jobs could not be handed back: another worker resumes them when their locks expire',
  );
  for (const worker of workers) worker.abandon();
}
