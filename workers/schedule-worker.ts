import type { Queue } from 'bullmq';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { ScheduleJob, SweepJob } from '../src/queues/jobs.js';
import { nextTime } from '../src/rules/model/cron.js';
import type { Rule } from '../src/rules/model/rule.js';
import { addSweep, scheduledRule } from '../src/schedules/schedule-queue.js';
import { waitForScheduledRule } from '../src/schedules/wait-for-scheduled-rule.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';

/** The parts of the schedule worker. */
export interface ScheduleWorkerOptions {
  readonly rules: () => readonly Rule[];
  /** The accounts by name. */
  readonly accounts: ReadonlyMap<string, unknown>;
  /** The queue of the sweeps of an account. */
  readonly sweepsOf: (account: string) => Queue<SweepJob>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Handles the queue "schedules": enqueues a sweep for each account of the rule, unless its previous sweep is unfinished. Makes no call to
 * SimpleMDM, so no account delays another.
 */
export function createScheduleHandler(
  options: ScheduleWorkerOptions,
): (job: JobHandle<ScheduleJob>) => Promise<JobOutcome> {
  const { accounts, sweepsOf, metrics } = options;
  return async (job) => {
    const { rule: id, ruleMissingSince } = job.data;
    const logger = options.logger.child({ rule: id, tick: job.id });
    const rule = scheduledRule(options.rules(), id);
    if (rule === undefined) return waitForScheduledRule(job, logger);
    const { enabled, accounts: only } = rule.source;
    if (!enabled) {
      logger.info('tick dropped: the rule is disabled');
      return { kind: 'completed' };
    }
    if (ruleMissingSince !== undefined && isNextTickDue(rule, new Date(ruleMissingSince))) {
      logger.info('tick dropped: the next tick was due while this one waited for its rule');
      return { kind: 'completed' };
    }
    metrics.scheduleTicks.inc({ rule: id });
    const tick = { id: job.id, at: new Date(job.scheduledAt).toISOString() };
    for (const account of accounts.keys()) {
      if (only?.includes(account) === false) continue;
      if (await addSweep(sweepsOf(account), { rule: id, account, tick })) continue;
      metrics.scheduleTicksSkipped.inc({ rule: id, account });
      logger.warn(
        { code: 'schedule/tick-skipped', account },
        'tick skipped: the previous sweep is still running',
      );
    }
    return { kind: 'completed' };
  };
}

function isNextTickDue({ source: { schedule } }: Rule, since: Date): boolean {
  if (schedule === undefined) return false;
  return nextTime(schedule.cron, schedule.timezone, since).getTime() <= Date.now();
}
