import { CronExpressionParser } from 'cron-parser';
import { errorText } from '../telemetry/error-text.js';

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
  try {
    CronExpressionParser.parse(cron, { tz: timezone });
    return undefined;
  } catch (error) {
    const why = errorText(error).replace(
      /^Constraint error, got value (\S+) expected range (\S+)$/,
      '$1 is not within $2',
    );
    return { path: ['schedule'], message: `"${cron}" is no schedule: ${why}` };
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
