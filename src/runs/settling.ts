import type { Event } from '../events/envelope.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import { member } from '../rules/model/values.js';

const HOUR_MS = 3_600_000;

/** The event whose device is known to have just enrolled. */
const ENROLLED = 'device.enrolled';

/** How long a rule waits for the inventory of a device that enrolled recently, in milliseconds. 0: it decides at once. */
export function settleMsOf(
  { settleMs }: Pick<RuleSource, 'settleMs'>,
  { type }: Pick<Event, 'type'>,
): number {
  return settleMs ?? (type === ENROLLED ? HOUR_MS : 0);
}

/** The time in which a rule waits for inventory, in epoch milliseconds. */
export interface Settling {
  /** When the rule first looked. */
  readonly since: number;
  readonly until: number;
}

/**
 * Whether the device of an event enrolled so recently that its inventory may still be on its way when a rule first looks.
 *
 * A webhook `device.enrolled` says so itself, however late it is processed: the settle time bounds the wait. A replay of an old event, and
 * events of other types, need the time of the enrollment.
 */
export function enrolledRecently(
  { type, source, at }: Pick<Event, 'type' | 'source' | 'at'>,
  device: unknown,
  { since, until }: Settling,
): boolean {
  if (type === ENROLLED && source !== 'replay') return true;
  const enrolledAt = timeOf(member(device, 'enrolled_at'));
  const times = [enrolledAt, ...(type === ENROLLED ? [timeOf(at)] : [])];
  return times.some((time) => time > since - (until - since));
}

/** Whether a rule still waits for the inventory of a device. */
export function isSettling(
  event: Event,
  device: unknown,
  settling: Settling | undefined,
  now: Date,
): boolean {
  return (
    settling !== undefined &&
    now.getTime() < settling.until &&
    // A device that has left reports nothing more.
    device !== null &&
    enrolledRecently(event, device, settling)
  );
}

/**
 * Whether an empty list of a device may be one that is still on its way. A rule that waits decides with what there is when its wait is over. Any
 * other rule, such as a scheduled one, does not take the list of a device that enrolled within the last hour for empty, unless it
 * sets `settle` itself.
 */
export function listsMayBeLate(
  event: Event,
  { settleMs }: Pick<RuleSource, 'settleMs'>,
  device: unknown,
  settling: Settling | undefined,
  now: Date,
): boolean {
  if (settling !== undefined) return isSettling(event, device, settling, now);
  if (settleMs !== undefined || event.type === ENROLLED) return false;
  return timeOf(member(device, 'enrolled_at')) > now.getTime() - HOUR_MS;
}

function timeOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' ? Date.parse(value) : NaN;
}
