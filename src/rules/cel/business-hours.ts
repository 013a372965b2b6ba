import { EvaluationError } from '@marcbachmann/cel-js';
import { problemWithTimezone } from '../model/timezone.js';

/** Hours on some days of the week. */
interface Hours {
  /** 0 is Monday. */
  readonly days: ReadonlySet<number>;
  /** Minutes from midnight. */
  readonly from: number;
  /** Minutes from midnight, not included; below `from` when the hours end on the next day. */
  readonly to: number;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const FULL_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const DAY_MINUTES = 24 * 60;
const EVERY_DAY: ReadonlySet<number> = new Set(DAYS.keys());
const EXAMPLE = 'such as "Mon-Fri 09:00-17:00"';

const parsed = new Map<string, readonly Hours[]>();
const formats = new Map<string, Intl.DateTimeFormat>();
/** Bounds the caches: values could otherwise fill the memory. */
const MAX_CACHED = 500;

/**
 * Whether a time is within hours of the week, by the clocks of a time zone.
 *
 * @param hours - Ranges separated by commas: days, times or both. Days without times mean the times that follow, else the whole day; times
 * without days mean the days before, else every day. `Fri 22:00-06:00` ends on Saturday.
 * @throws EvaluationError when the hours or the time zone are not valid.
 */
export function isDuring(hours: string, timezone: string, now: Date): boolean {
  const ranges = cachedIn(parsed, hours, () => parseHours(hours));
  const { day, minutes } = localTime(now, timezone);
  const yesterday = (day + DAYS.length - 1) % DAYS.length;
  return ranges.some(({ days, from, to }) =>
    from < to
      ? days.has(day) && minutes >= from && minutes < to
      : (days.has(day) && minutes >= from) || (days.has(yesterday) && minutes < to),
  );
}

function localTime(now: Date, timezone: string): { day: number; minutes: number } {
  const format = cachedIn(formats, timezone, () => {
    const problem = problemWithTimezone(timezone);
    if (problem !== undefined) throw invalid(problem);
    return new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    day: DAYS.indexOf(parts.get('weekday') ?? ''),
    minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

function parseHours(text: string): readonly Hours[] {
  const found: Hours[] = [];
  /** Days that wait for the times behind them. */
  let waiting: number[] = [];
  let last: ReadonlySet<number> | undefined;
  for (const part of text.split(',').map((one) => one.trim().replace(/[–—]/g, '-'))) {
    const [, dayText = '', timeText = ''] = /^([A-Za-z]+(?:\s*-\s*[A-Za-z]+)?)?\s*(\d.*)?$/.exec(part) ?? [];
    if (part === '' || dayText + timeText === '')
      throw invalid(`"${part}" is neither days nor times: write hours ${EXAMPLE}`);
    if (dayText !== '') waiting.push(...daysOf(dayText));
    if (timeText === '') continue;
    const days = waiting.length > 0 ? new Set(waiting) : (last ?? EVERY_DAY);
    found.push({ days, ...timesOf(timeText) });
    last = days;
    waiting = [];
  }
  if (waiting.length > 0) found.push({ days: new Set(waiting), from: 0, to: DAY_MINUTES });
  return found;
}

function daysOf(text: string): number[] {
  const [first = 0, last = first] = text.split('-').map((name) => dayOf(name.trim()));
  const count = ((last - first + DAYS.length) % DAYS.length) + 1;
  return Array.from({ length: count }, (_day, index) => (first + index) % DAYS.length);
}

function dayOf(name: string): number {
  const day = FULL_DAYS.findIndex((full) => name.length >= 3 && full.startsWith(name.toLowerCase()));
  if (day < 0) throw invalid(`"${name}" is not a day: write ${DAYS.join(', ')}`);
  return day;
}

function timesOf(text: string): { from: number; to: number } {
  const [, fromHour, fromMinute, toHour, toMinute] =
    /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (fromHour === undefined) throw invalid(`"${text}" is not a range of times: write 09:00-17:00`);
  const from = minutesOf(fromHour, fromMinute, text);
  const to = minutesOf(toHour, toMinute, text);
  if (from === to || from === DAY_MINUTES)
    throw invalid(`"${text}" is no time at all: for the whole day write 00:00-24:00`);
  return { from, to };
}

function minutesOf(hour = '', minute = '', text: string): number {
  const minutes = Number(hour) * 60 + Number(minute);
  if (Number(minute) > 59 || minutes > DAY_MINUTES)
    throw invalid(`"${text}" has a time that no clock shows: the last one is 24:00`);
  return minutes;
}

function cachedIn<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, made);
  return made;
}

/** Not an unknown value: such hours are a mistake, which must be visible. */
function invalid(message: string): EvaluationError {
  return new EvaluationError({ code: 'invalid_hours', message });
}
