import { didYouMean } from '../../config/nearest-name.js';

const SCHEDULE = 'schedule.';

/** The type of the events that the clock makes for a rule. */
export function scheduleType(ruleId: string): string {
  return SCHEDULE + ruleId;
}

/** Whether a rule's `on` pattern takes an event type. `*` stands for any characters, dots included. */
export function matchesType(pattern: string, type: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return pattern === type;
  if (!type.startsWith(start) || !type.endsWith(end) || type.length < start.length + end.length) return false;
  // Each part between two stars is taken where it is first found: no backtracking, however many stars there are.
  let at = start.length;
  const limit = type.length - end.length;
  for (const part of parts) {
    const found = type.indexOf(part, at);
    if (found < 0 || found + part.length > limit) return false;
    at = found + part.length;
  }
  return true;
}

/** Whether events of a type are made by the clock; anybody can post a webhook of such a type, and it is not. */
export function isScheduleType(type: string): boolean {
  return type.startsWith(SCHEDULE);
}

/**
 * Whether a rule's `on` pattern takes an event: what the clock made is for the rule whose schedule it is, not for every rule that takes
 * anything.
 *
 * @param byClock - Whether the clock made the event.
 */
export function listensFor(pattern: string, type: string, byClock: boolean): boolean {
  return isScheduleType(type) ? byClock && pattern === type : matchesType(pattern, type);
}

/**
 * Why a pattern is probably a typo, or undefined. Types that SimpleMDM adds later must pass, so only what looks
 * like a misspelt known type is refused.
 */
export function problemWithPattern(pattern: string, known: readonly string[]): string | undefined {
  if (pattern.includes('*') || known.includes(pattern)) return undefined;
  const hint = didYouMean(pattern, known);
  return hint === ''
    ? undefined
    : `unknown event type "${pattern}"${hint} (for a new type with a similar name write a pattern: "${pattern}*")`;
}
