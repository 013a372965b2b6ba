import { KEY_PREFIX } from '../queues/connection.js';

/** Event ids by the time they were received, for lists. */
export const INDEX_KEY = `${KEY_PREFIX}:journal:index`;

/** The hash of an event's trace. Fields: `event`, `received` (set by the receiver), `processing`, `decisions`, `run:<rule>`, `alert:<alert>`. */
export const traceKey = (eventId: string): string => `${KEY_PREFIX}:journal:trace:${eventId}`;

/** The hash of an event's facts by name. Apart from the trace, because lists do not need them and they are large. */
export const factsKey = (eventId: string): string => `${KEY_PREFIX}:journal:facts:${eventId}`;

/** The hash of accounts by name: whether their API key works. */
export const ACCOUNTS_KEY = `${KEY_PREFIX}:accounts`;

/** The hashes of the rules by the clock, one for each: by account, when it was worked through last. */
export const LAST_SWEEPS_KEY = `${KEY_PREFIX}:sweeps-done`;

export const RUN_FIELD = 'run:';
export const ALERT_FIELD = 'alert:';
