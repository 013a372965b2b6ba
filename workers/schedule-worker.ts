import type { Queue } from 'bullmq';
import type { ScheduleJob, SweepJob } from '../src/queues/jobs.js';
import { addSweep } from '../src/schedules/scheduler.js';
import type { JobHandle, JobOutcome } from '../src/queues/worker.js';
import { nextTime } from '../src/rules/model/cron.js';
import type { Rule } from '../src/rules/model/rule.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import { scheduledRule, waitForRule } from '../src/schedules/scheduled-rule.js';

/** What the schedule worker joins together. */
export interface ScheduleWorkerOptions {
  readonly rules: () => readonly Rule[];
  /** The accounts that can be asked, by name. */
  readonly accounts: ReadonlyMap<string, unknown>;
  readonly sweeps: Queue<SweepJob>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Handles the time that has come for a rule: begins a sweep for each of its accounts. It asks SimpleMDM nothing, so no account holds
 * another up; an account whose last sweep is unfinished is passed by.
 */
export function createScheduleHandler(
  options: ScheduleWorkerOptions,
): (job: JobHandle<ScheduleJob>) => Promise<JobOutcome> {
  const { accounts, sweeps, metrics } = options;
  return async (job) => {
    const { rule: id, absentSince } = job.data;
    const logger = options.logger.child({ rule: id, tick: job.id });
    const rule = scheduledRule(options.rules(), id);
    if (rule === undefined) return waitForRule(job, logger);
    const { enabled, schedule, accounts: only } = rule.source;
    if (!enabled) {
      logger.info('the time has come for a rule that is not enabled: nothing is done');
      return { kind: 'done' };
    }
    if (absentSince !== undefined && schedule !== undefined) {
      const next = nextTime(schedule.cron, schedule.timezone, new Date(absentSince));
      if (next.getTime() <= Date.now()) {
        logger.info('the next time of the rule has come while this one waited for it: it makes up for both');
        return { kind: 'done' };
      }
    }
    metrics.scheduleTicks.inc({ rule: id });
    const tick = { id: job.id, at: new Date(job.scheduledAt).toISOString() };
    for (const account of accounts.keys()) {
      if (only?.includes(account) === false) continue;
      if (await addSweep(sweeps, { rule: id, account, tick })) continue;
      metrics.scheduleTicksSkipped.inc({ rule: id, account });
      logger.warn({ account }, 'the time has come for a rule that is not through with its last: passed by');
    }
    return { kind: 'done' };
  };
}
