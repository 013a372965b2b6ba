import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { KEY_PREFIX } from '../queues/connection.js';
import { SCHEDULES } from '../queues/queues.js';
import { columns } from './terminal.js';

/** `mdm-reflex schedules`: the rules that run by the clock, and when they do next. */
export async function listSchedules(redis: Redis, json: boolean): Promise<string> {
  const queue = new Queue(SCHEDULES, { connection: redis, prefix: KEY_PREFIX });
  queue.on('error', () => undefined);
  const schedulers = await queue.getJobSchedulers(0, -1, true);
  const rows = schedulers.map(({ key, pattern, tz, next }) => ({
    rule: key,
    schedule: pattern ?? '',
    timezone: tz ?? 'UTC',
    next: next === undefined ? '' : new Date(next).toISOString(),
  }));
  if (json) return JSON.stringify(rows, undefined, 2);
  if (rows.length === 0) return 'no rule runs by the clock';
  return columns(
    rows.map(({ rule, schedule, timezone, next }) => [rule, schedule, timezone, `next ${next}`]),
  ).join('\n');
}
