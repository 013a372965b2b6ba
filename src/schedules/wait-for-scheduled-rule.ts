import { GRACE_PERIODS, nextGraceCheck } from '../queues/grace-period.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import type { Logger } from '../telemetry/logger.js';

/**
 * Lets a tick or a sweep wait for a worker that has its rule and account, and drops it when the grace period is over. During a deployment
 * workers have different rules.
 */
export async function waitForScheduledRule<T extends { readonly ruleMissingSince?: string | undefined }>(
  job: JobHandle<T>,
  logger: Logger,
): Promise<JobOutcome> {
  const { ruleMissingSince } = job.data;
  const missingSince = ruleMissingSince === undefined ? Date.now() : Date.parse(ruleMissingSince);
  const recheckAt = nextGraceCheck(missingSince, GRACE_PERIODS.schedule);
  const code = 'schedule/rule-missing';
  if (recheckAt === undefined) {
    logger.warn({ code }, 'schedule dropped: no worker has its rule');
    return { kind: 'completed' };
  }
  const reason = 'waits for a worker that has the rule';
  if (ruleMissingSince === undefined) {
    await job.save({ ...job.data, ruleMissingSince: new Date(missingSince).toISOString() });
    logger.info({ code }, `schedule ${reason}`);
  }
  return { kind: 'retry', at: recheckAt, countsAttempt: false, reason, code };
}
