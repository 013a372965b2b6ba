import type { Redis } from 'ioredis';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { lastSweeps } from '../schedules/last-sweeps.js';
import { openScheduleQueue } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import { addTick } from '../schedules/scheduler.js';
import { columns } from './terminal.js';

/** `mdm-reflex schedules`: the rules that run by the clock, when they do next, and when they did last. */
export async function listSchedules(redis: Redis, settings: Settings, json: boolean): Promise<string> {
  const queue = openScheduleQueue(redis, retentionOf(settings));
  const schedulers = await queue.getJobSchedulers(0, -1, true);
  const rows = await Promise.all(
    schedulers.map(async ({ key, pattern, tz, next }) => ({
      rule: key,
      schedule: pattern ?? '',
      timezone: tz ?? 'UTC',
      next: next === undefined ? null : new Date(next).toISOString(),
      last: await lastSweeps(redis, key),
    })),
  );
  if (json) return JSON.stringify(rows, undefined, 2);
  if (rows.length === 0) return 'no rule runs by the clock';
  return columns(
    rows.map(({ rule, schedule, timezone, next, last }) => [
      rule,
      schedule,
      timezone,
      next === null ? '' : `next ${next}`,
      Object.keys(last).length === 0
        ? 'not run yet'
        : `last ${Object.entries(last)
            .map(
              ([account, { finishedAt, emitted }]) => `${finishedAt} (${account}: ${eventsInWords(emitted)})`,
            )
            .join(', ')}`,
    ]),
  ).join('\n');
}

function eventsInWords(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}

/** `mdm-reflex schedules run RULE`: makes its time come now, beside those of its schedule. */
export async function runSchedule(redis: Redis, settings: Settings, rule: string): Promise<string> {
  const queue = openScheduleQueue(redis, retentionOf(settings));
  const known = (await queue.getJobSchedulers(0, -1)).map(({ key }) => key).sort();
  if (!known.includes(rule)) {
    throw new OperatorError([
      known.length === 0
        ? `the rule "${rule}" has no schedule, nor has any other: a worker sets the schedules when it starts with rules that have an "on: { schedule: … }" and are enabled`
        : `the rule "${rule}" has no schedule; those that have: ${known.join(', ')}`,
    ]);
  }
  await addTick(queue, rule);
  return `the time has come for ${rule} in each account that it is for; where its last one is not through yet, it is passed by. "mdm-reflex events --type schedule.${rule}" lists what comes of it`;
}
