import { CronExpressionParser } from 'cron-parser';
import { errorText } from '../../telemetry/error-text.js';

/** What is wrong with a schedule, and with which part of it. */
export interface ScheduleProblem {
  readonly path: readonly ['schedule' | 'timezone'];
  readonly message: string;
}

/**
 * Checks a schedule in cron form: minute, hour, day of the month, month, day of the week; with a sixth field in front, seconds.
 *
 * @param timezone - A name of the IANA time zone database, such as `Europe/Berlin`.
 */
export function problemWithSchedule(cron: string, timezone: string): ScheduleProblem | undefined {
  if (!isTimezone(timezone)) {
    return {
      path: ['timezone'],
      message: `there is no time zone "${timezone}"; expected one such as Europe/Berlin`,
    };
  }
  if (!/^\S+( +\S+){4,5}$/.test(cron.trim()) && !cron.trim().startsWith('@')) {
    return {
      path: ['schedule'],
      message: `"${cron}" has not the five fields of a schedule: minute, hour, day of the month, month, day of the week, such as "0 8 * * 1-5"`,
    };
  }
  const why = /\bH\b/i.test(cron)
    ? 'H stands for another time at each look; write a fixed one, such as "0 8 * * *"'
    : (problemWithFields(cron) ?? problemWithTimes(cron, timezone));
  return why === undefined ? undefined : { path: ['schedule'], message: `"${cron}" is no schedule: ${why}` };
}

const FIELDS = ['second', 'minute', 'hour', 'day of the month', 'month', 'day of the week'];

/** What is wrong with one of the fields: each is read by itself, so that it can be named. */
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

/** What is wrong with the fields together: they are good by themselves, and such a time never comes. */
function problemWithTimes(cron: string, timezone: string): string | undefined {
  if (parseProblem(cron) !== undefined) {
    return cron.trim().startsWith('@')
      ? 'expected @hourly, @daily, @weekly, @monthly, @yearly, or five fields such as "0 8 * * 1-5"'
      : 'none of its months has such a day';
  }
  try {
    nextTime(cron, timezone, new Date());
    return undefined;
  } catch (error) {
    return `such a time never comes (${errorText(error)})`;
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

/** The next time of a schedule after a given one. */
export function nextTime(cron: string, timezone: string, after: Date): Date {
  return CronExpressionParser.parse(cron, { tz: timezone, currentDate: after }).next().toDate();
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
