import type { CallCosts, CostlyAttempt } from '../coordination/call-costs.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { laneOf } from '../queues/jobs.js';
import type { Lane } from '../queues/jobs.js';
import { countCalls } from '../simplemdm/call-count.js';
import { withLane } from '../simplemdm/lane.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** Handles a job. */
type Handler<T> = (job: JobHandle<T>) => Promise<JobOutcome>;

/** Makes the API calls of a handler in the lane of its job, and counts them. */
export function handleInLane<T extends { readonly lane?: 'bulk' | undefined }>(
  handle: Handler<T>,
  kindOf: (data: T) => Pick<CostlyAttempt, 'account' | 'queue' | 'name'>,
  costs: CallCosts,
): Handler<T> {
  return async (job) => {
    const count = { calls: 0 };
    let isFinished = false;
    try {
      const outcome = await withLane(laneOf(job.data), () => countCalls(count, () => handle(job)));
      isFinished = outcome.kind === 'completed' || outcome.kind === 'failed';
      return outcome;
    } finally {
      costs.note({ ...kindOf(job.data), calls: count.calls, isFinished });
    }
  };
}

/** Makes all API calls of a handler in one lane. */
export function handleInOneLane<T>(lane: Lane, handle: Handler<T>): Handler<T> {
  return (job) => withLane(lane, () => handle(job));
}

/** How often the counted calls are written. */
const FLUSH_INTERVAL_MS = 5000;

/** Writes the counted calls again and again. Returns how to stop that. */
export function flushRegularly(
  costs: CallCosts,
  isReady: () => boolean,
  logger: Logger,
): { readonly stop: () => Promise<void> } {
  const flush = async (): Promise<void> => {
    if (!isReady()) return;
    try {
      await costs.flush();
    } catch (error) {
      // The counts stay in memory for the next time.
      logger.debug({ reason: errorText(error) }, 'the counted API calls could not be written');
    }
  };
  const interval = setInterval(() => void flush(), FLUSH_INTERVAL_MS);
  interval.unref();
  return {
    stop: () => {
      clearInterval(interval);
      return flush();
    },
  };
}
