/** What can be odd about a webhook. The kinds are the values of a metric label, so their number is fixed. */
export const ODDITY_KINDS = [
  'content_type',
  'encoding',
  'form',
  'number',
  'duplicate_key',
  'nesting',
  'type',
  'at',
  'data',
  'device',
  'device_id',
  'serial_number',
  'udid',
  'unknown_field',
] as const;

/** What can be odd about a webhook. */
export type OddityKind = (typeof ODDITY_KINDS)[number];

/** One thing about a webhook that does not fit. The webhook is kept nevertheless. */
export interface Oddity {
  readonly kind: OddityKind;
  /** A sentence for people: what was found, and what the service made of it. */
  readonly text: string;
}

const MAX_WARNINGS = 10;
const MAX_WARNING_LENGTH = 300;

/** Oddities as the warnings of an event, bounded in number and length: a sender could send any number of them. */
export function warningsOf(oddities: readonly Oddity[]): string[] {
  const texts = [...new Set(oddities.map(({ text }) => cut(text, MAX_WARNING_LENGTH)))];
  if (texts.length <= MAX_WARNINGS) return texts;
  const kept = texts.slice(0, MAX_WARNINGS - 1);
  return [...kept, `and ${texts.length - kept.length} more`];
}

const MAX_SHOWN_LENGTH = 80;

/** A value of a webhook for a warning, shortened. */
export function shown(value: unknown): string {
  return value === undefined ? 'missing' : cut(JSON.stringify(value), MAX_SHOWN_LENGTH);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
