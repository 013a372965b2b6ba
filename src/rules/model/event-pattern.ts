import { didYouMean } from '../../errors/did-you-mean.js';

const SCHEDULE = 'schedule.';

/** The type of the events that the schedule of a rule emits. */
export function scheduleType(ruleId: string): string {
  return SCHEDULE + ruleId;
}

/** The rule whose schedule emits the events of a type for which {@link isScheduleType} is true. */
export function ruleOfScheduleType(type: string): string {
  return type.slice(SCHEDULE.length);
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

const NO_SUCH_EVENT = `SimpleMDM sends no such event; look at all devices by a schedule: on: { schedule: '0 * * * *', for_each: devices }`;

/** Names that newcomers try. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  any: 'write on: "*"',
  all: 'write on: "*"',
  everything: 'write on: "*"',
  webhook: 'write the type of the event, such as device.enrolled, or on: "*" for all of them',
  device: 'write on: "device.*"',
  schedule: "write on: { schedule: '0 8 * * 1-5' }",
  daily: "write on: { schedule: '0 8 * * *' }",
  hourly: "write on: { schedule: '0 * * * *' }",
  cron: "write on: { schedule: '0 8 * * 1-5' }",
  'device.locked': 'write device.lock.enabled',
  'device.lock': 'write device.lock.enabled',
  'device.group_changed': 'write device.changed_group',
  'device.group.changed': 'write device.changed_group',
  'device.moved': 'write device.changed_group',
  'device.removed': 'write device.unenrolled',
  'device.deleted': 'write device.unenrolled',
  'device.created': 'write device.enrolled',
  'device.added': 'write device.enrolled, or abm.device.added for new hardware in Apple Business Manager',
  'device.checkin': NO_SUCH_EVENT,
  'device.check_in': NO_SUCH_EVENT,
  'device.checked_in': NO_SUCH_EVENT,
  'device.seen': NO_SUCH_EVENT,
  'device.updated': NO_SUCH_EVENT,
  'device.changed': NO_SUCH_EVENT,
  'device.inventory': NO_SUCH_EVENT,
};

/**
 * Why a pattern is probably a typo, or undefined. SimpleMDM may add types, so only what looks like a misspelled known type is a problem.
 */
export function problemWithPattern(pattern: string, known: readonly string[]): string | undefined {
  if (pattern.includes('*') || known.includes(pattern)) return undefined;
  const advice = Object.hasOwn(OTHER_NAMES, pattern.toLowerCase())
    ? OTHER_NAMES[pattern.toLowerCase()]
    : undefined;
  if (advice !== undefined) return `unknown event type "${pattern}": ${advice}`;
  if (isScheduleType(pattern))
    return `no rule can listen for the schedule of another rule: write the schedule itself, such as on: { schedule: '0 8 * * *' }`;
  const near = didYouMean(pattern, known);
  if (near !== '') {
    return `unknown event type "${pattern}"${near} (for a new type with a similar name write a pattern: "${pattern}*")`;
  }
  // Nobody sends `enrolled`.
  const full = known.find((type) => type.toLowerCase().endsWith(`.${pattern.toLowerCase()}`));
  return full === undefined ? undefined : `unknown event type "${pattern}"; did you mean "${full}"?`;
}
