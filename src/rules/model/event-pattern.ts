import { didYouMean } from '../../errors/did-you-mean.js';

const SCHEDULE = 'schedule.';

/** The type of the events that the schedule of a rule emits. */
export function scheduleType(ruleId: string): string {
  return SCHEDULE + ruleId;
}

/** Whether an `on` pattern matches an event type. `*` matches any characters, dots included. */
export function matchesType(pattern: string, type: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return pattern === type;
  if (!type.startsWith(start) || !type.endsWith(end) || type.length < start.length + end.length) return false;
  // The first occurrence of each part is enough, so the match never backtracks, however many stars there are.
  let at = start.length;
  const limit = type.length - end.length;
  for (const part of parts) {
    const found = type.indexOf(part, at);
    if (found < 0 || found + part.length > limit) return false;
    at = found + part.length;
  }
  return true;
}

/** Whether a type belongs to schedules. A webhook can claim such a type too; rules ignore that. */
export function isScheduleType(type: string): boolean {
  return type.startsWith(SCHEDULE);
}

/**
 * Whether a rule with this `on` pattern listens for an event. An event of a schedule reaches only the rule of that schedule, not rules
 * with `*`.
 *
 * @param bySchedule - Whether a schedule emitted the event.
 */
export function listensFor(pattern: string, type: string, bySchedule: boolean): boolean {
  return isScheduleType(type) ? bySchedule && pattern === type : matchesType(pattern, type);
}

/**
 * Why a pattern is probably a typo, or undefined. SimpleMDM may add types, so only what looks like a misspelled known type is a problem.
 */
export function problemWithPattern(pattern: string, known: readonly string[]): string | undefined {
  if (pattern.includes('*') || known.includes(pattern)) return undefined;
  const near = didYouMean(pattern, known);
  if (near !== '') {
    return `unknown event type "${pattern}"${near} (for a new type with a similar name write a pattern: "${pattern}*")`;
  }
  // Nobody sends `enrolled`.
  const full = known.find((type) => type.toLowerCase().endsWith(`.${pattern.toLowerCase()}`));
  return full === undefined ? undefined : `unknown event type "${pattern}"; did you mean "${full}"?`;
}
