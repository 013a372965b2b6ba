import type { Queue } from 'bullmq';
import type { Rule } from '../rules/model/rule.js';
import type { ScheduleJob, SweepJob } from '../queues/jobs.js';

/** The rule with an id, if it has a schedule. */
export function scheduledRule(rules: readonly Rule[], id: string): Rule | undefined {
  return rules.find(({ source }) => source.id === id && source.schedule !== undefined);
}

/**
 * Makes the job schedulers of the queue match the schedules of the rules. Does not touch an unchanged scheduler: its next tick may be in
 * the past, because the service was down, and then runs once.
 */
export async function syncSchedules(queue: Queue<ScheduleJob>, rules: readonly Rule[]): Promise<void> {
  const wanted = new Map(
    rules.flatMap(({ source: { id, enabled, schedule } }) =>
      enabled && schedule !== undefined ? [[id, schedule] as const] : [],
    ),
  );
  const existing = await queue.getJobSchedulers(0, -1);
  for (const { key, pattern, tz } of existing) {
    const schedule = wanted.get(key);
    if (schedule?.cron === pattern && schedule?.timezone === tz) wanted.delete(key);
    else if (schedule === undefined) await queue.removeJobScheduler(key);
  }
  for (const [id, { cron, timezone }] of wanted) {
    await queue.upsertJobScheduler(id, { pattern: cron, tz: timezone }, { name: 'tick', data: { rule: id } });
  }
}

/** Adds a tick of a rule that is due now, and returns the id of its job. The schedule does not change. */
export async function addTick(queue: Queue<ScheduleJob>, rule: string): Promise<string> {
  const jobId = `now.${rule}.${Date.now()}`;
  await queue.add('tick', { rule }, { jobId });
  return jobId;
}

/** The id of the job of the sweep that a tick starts in an account. */
export function sweepJobId(tick: Pick<SweepJob['tick'], 'id'>, account: string): string {
  // BullMQ reserves the colon.
  return `${tick.id.replaceAll(':', '.')}.${account}`;
}

/**
 * Enqueues the sweep of a tick, unless the previous sweep of the rule in the account is unfinished. Adding a sweep twice adds it once.
 *
 * BullMQ keeps the deduplication key of a job until the job completes, fails for good, or is removed. An account that is unavailable
 * for a day has one sweep to catch up on, not one per tick.
 *
 * @returns Whether the sweep is enqueued; false when the tick is skipped.
 */
export async function addSweep(queue: Queue<SweepJob>, sweep: SweepJob): Promise<boolean> {
  const { rule, account, tick } = sweep;
  const jobId = sweepJobId(tick, account);
  const job = await queue.add(rule, sweep, { jobId, deduplication: { id: `${rule}.${account}` } });
  return job.id === jobId;
}
