import type { Queue } from 'bullmq';
import type { Rule } from '../rules/model/rule.js';
import type { ScheduleJob, SweepJob } from '../queues/jobs.js';

/**
 * Makes the queue's schedulers those of the rules. One that is there already and has not changed is left alone: its next time may be
 * past, and was missed while the service was down; it is then worked through once.
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

/** Makes a tick of a rule due now, beside those of its schedule. */
export async function addTick(queue: Queue<ScheduleJob>, rule: string): Promise<void> {
  await queue.add('tick', { rule }, { jobId: `now.${rule}.${Date.now()}` });
}

/**
 * Begins the sweep of a tick, unless an earlier one of the same rule and account is unfinished. Adding the same one again does nothing.
 *
 * BullMQ keeps the mark of an unfinished job until that job is completed, failed for good or removed, and throughout its waits: an account
 * that is away for a day has one sweep to make up for, not one for each tick of the day.
 *
 * @returns Whether the sweep is there; false when it was passed by.
 */
export async function addSweep(queue: Queue<SweepJob>, sweep: SweepJob): Promise<boolean> {
  const { rule, account, tick } = sweep;
  // BullMQ keeps the colon for itself.
  const jobId = `${tick.id.replaceAll(':', '.')}.${account}`;
  const job = await queue.add(rule, sweep, { jobId, deduplication: { id: `${rule}.${account}` } });
  return job.id === jobId;
}
