/** The start of the keys of the journal in a shard. Scripts derive the other keys from it: all of them share the slot of the shard. */
export const journalPrefix = (prefix: string): string => `${prefix}:journal:`;

/**
 * The hash with the trace of an event. Fields: `event`, `received` (set by the receiver), `index` (index-lua.ts), `processing`,
 * `decisions`, `run:<rule>`, `fact:<name>`, `alert:<alert>:<channel>`.
 */
export const traceKey = (prefix: string, eventId: string): string =>
  `${journalPrefix(prefix)}trace:${shortId(eventId)}`;

/** A sorted set of the short ids of events. `name` says of which: `account:default`, `type:device.enrolled`, `status:failed`. */
export const indexKey = (prefix: string, name: string): string => `${journalPrefix(prefix)}by:${name}`;

export const RUN_FIELD = 'run:';
export const FACT_FIELD = 'fact:';
export const ALERT_FIELD = 'alert:';

const SHORT_HEX = 32;

/**
 * The id of an event in the keys and indexes of the journal: 128 bits of the SHA-256 in 22 characters. Each event has about eight index
 * entries, and a third of the length saves memory in each.
 */
export function shortId(eventId: string): string {
  if (!/^[0-9a-f]{64}$/.test(eventId)) return eventId;
  return Buffer.from(eventId.slice(0, SHORT_HEX), 'hex').toString('base64url');
}

/** The start of the short ids of all events whose id starts with these hex digits. */
export function shortIdStart(hexDigits: string): string {
  const known = hexDigits.slice(0, SHORT_HEX);
  // Six bits a character: only characters that the digits decide completely.
  const characters = known.length === SHORT_HEX ? undefined : Math.floor((known.length * 4) / 6);
  return Buffer.from(known.padEnd(SHORT_HEX, '0'), 'hex').toString('base64url').slice(0, characters);
}
