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
 * Checks that a rule has a schedule.
 *
 * @throws OperatorError when it has none.
 */
export async function checkSchedule(shards: Shards, settings: Settings, rule: string): Promise<void> {
  const queue = openScheduleQueue(shards.home, retentionOf(settings));
  const known = (await queue.getJobSchedulers(0, -1)).map(({ key }) => key).sort();
  if (known.includes(rule)) return;
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

/** Adds a tick of a rule now, in addition to its schedule. Returns the id of its job. */
export async function addTickOf(shards: Shards, settings: Settings, rule: string): Promise<string> {
  return addTick(openScheduleQueue(shards.home, retentionOf(settings)), rule);
}
