import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { lastSweeps } from '../schedules/last-sweeps.js';
import { openScheduleQueue } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import { addTick } from '../schedules/schedule-queue.js';
import { columns, jsonText } from './terminal.js';

/** `mdm-reflex schedules`: lists the rules that have a schedule, with their next tick and last sweep. */
export async function listSchedules(shards: Shards, settings: Settings, json: boolean): Promise<string> {
  const queue = openScheduleQueue(shards.home, retentionOf(settings));
  const schedulers = await queue.getJobSchedulers(0, -1, true);
  const rows = await Promise.all(
    schedulers.map(async ({ key, pattern, tz, next }) => ({
      rule: key,
      schedule: pattern ?? '',
      timezone: tz ?? 'UTC',
      next: next === undefined ? null : new Date(next).toISOString(),
      last: await lastSweeps(shards.home, key),
    })),
  );
  if (json) return jsonText(rows);
  if (rows.length === 0) return 'no rule has a schedule';
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
              ([account, { finishedAt, emitted, incomplete }]) =>
                `${finishedAt} (${account}: ${eventCount(emitted)}${incomplete === undefined ? '' : `, INCOMPLETE: ${incomplete}`})`,
            )
            .join(', ')}`,
    ]),
  ).join('\n');
}

function eventCount(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}

/**
 * `mdm-reflex schedules run RULE`: adds a tick now, in addition to the schedule.
 *
 * @throws OperatorError when the rule has no schedule.
 */
export async function runSchedule(shards: Shards, settings: Settings, rule: string): Promise<string> {
  const queue = openScheduleQueue(shards.home, retentionOf(settings));
  const known = (await queue.getJobSchedulers(0, -1)).map(({ key }) => key).sort();
  if (!known.includes(rule)) {
    throw new OperatorError([
      {
        code: 'cli/no-schedule',
        message:
          known.length === 0
            ? `rule "${rule}" has no schedule, and no other rule has one; a worker creates schedules when it loads enabled rules with "on: { schedule: … }"`
            : `rule "${rule}" has no schedule; rules with a schedule: ${known.join(', ')}`,
      },
    ]);
  }
  await addTick(queue, rule);
  return `tick added for ${rule} in each of its accounts; an account skips the tick while its previous sweep is still running. "mdm-reflex events --type schedule.${rule}" lists the events`;
}
