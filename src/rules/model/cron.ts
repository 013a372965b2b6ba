import { CronExpressionParser } from 'cron-parser';
import { errorText } from '../../telemetry/error-text.js';
import { problemWithTimezone } from './timezone.js';

/** A problem with a schedule, and the key that has it. */
export interface ScheduleProblem {
  readonly path: readonly ['schedule' | 'timezone'];
  readonly message: string;
}

/**
 * Checks a cron schedule: minute, hour, day of the month, month, day of the week; a sixth field in front holds seconds.
 *
 * @param timezone - A name of the IANA time zone database, such as `Europe/Berlin`.
 */
export function problemWithSchedule(cron: string, timezone: string): ScheduleProblem | undefined {
  const unknownZone = problemWithTimezone(timezone);
  if (unknownZone !== undefined) return { path: ['timezone'], message: unknownZone };
  if (!/^\S+( +\S+){4,5}$/.test(cron.trim()) && !cron.trim().startsWith('@')) {
    return {
      path: ['schedule'],
      message: `"${cron}" is not a schedule; expected five fields (minute, hour, day of the month, month, day of the week), such as "0 8 * * 1-5"`,
    };
  }
  const why = /\bH\b/i.test(cron)
    ? 'H is not supported; write a fixed time, such as "0 8 * * *"'
    : (problemWithFields(cron) ?? problemWithTimes(cron, timezone));
  return why === undefined ? undefined : { path: ['schedule'], message: `"${cron}" is not valid: ${why}` };
}

const FIELDS = ['second', 'minute', 'hour', 'day of the month', 'month', 'day of the week'];

/** Parses each field by itself, so that the message can name the bad one. */
function problemWithFields(cron: string): string | undefined {
  const fields = cron.trim().split(/ +/);
  if (fields[0]?.startsWith('@') === true) return undefined;
  const names = FIELDS.slice(FIELDS.length - fields.length);
  for (const [index, field] of fields.entries()) {
    const alone = fields.map((_, other) => (other === index ? field : '*')).join(' ');
    const why = parseProblem(alone);
    if (why === undefined) continue;
    const [, value, range] = /got (?:value|range) (\S+) expected range (\S+)$/.exec(why) ?? [];
    const name = names[index] ?? 'field';
    return value === undefined || range === undefined || value.includes('NaN')
      ? `the ${name} "${field}": ${why}`
      : `the ${name} ${value} is not within ${range}`;
  }
  return undefined;
}

/** Finds valid fields that never match a date together, such as February 30. */
function problemWithTimes(cron: string, timezone: string): string | undefined {
  if (parseProblem(cron) !== undefined) {
    return cron.trim().startsWith('@')
      ? 'expected @hourly, @daily, @weekly, @monthly, @yearly, or five fields such as "0 8 * * 1-5"'
      : 'no month in it has that day';
  }
  try {
    nextTime(cron, timezone, new Date());
    return undefined;
  } catch (error) {
    return `it never matches a date (${errorText(error)})`;
  }
}

function parseProblem(cron: string): string | undefined {
  try {
    CronExpressionParser.parse(cron);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/** The first time of a schedule after a given time. */
export function nextTime(cron: string, timezone: string, after: Date): Date {
  return CronExpressionParser.parse(cron, { tz: timezone, currentDate: after }).next().toDate();
}
