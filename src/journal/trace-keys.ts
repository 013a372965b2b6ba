/** A sorted set of event ids by the time they were received, for lists. */
export const indexKey = (prefix: string): string => `${prefix}:journal:index`;

/** The hash with the trace of an event. Fields: `event`, `received` (set by the receiver), `processing`, `decisions`, `run:<rule>`, `alert:<alert>:<channel>`. */
export const traceKey = (prefix: string, eventId: string): string => `${prefix}:journal:trace:${eventId}`;

/** The hash with the facts of an event, by name. Facts are large and lists do not need them, so they have a key of their own. */
export const factsKey = (prefix: string, eventId: string): string => `${prefix}:journal:facts:${eventId}`;

export const RUN_FIELD = 'run:';
export const ALERT_FIELD = 'alert:';
