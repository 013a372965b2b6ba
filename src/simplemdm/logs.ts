import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll } from './resource.js';

/** `MM/DD/YY HH:MM:SS` without an offset, read as UTC and written as ISO 8601. */
const logTime = z.string().transform((at) => {
  const parts = /^(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)$/.exec(at);
  if (parts === null) return at;
  const [, month = '', day = '', year = '', time = ''] = parts;
  return `20${year}-${month}-${day}T${time}.000Z`;
});

/** The attributes of a log entry; `relationships` stands inside them. */
export const logAttributes = z.looseObject({
  namespace: z.string().nullish(),
  event_type: z.string().nullish(),
  /** A number in some entries, a word in others; a text here. */
  level: z.union([z.string(), z.number().transform(String)]).nullish(),
  source: z.string().nullish(),
  at: logTime.nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

const log = z.looseObject({ type: z.string(), id: z.string(), attributes: logAttributes });

/** An entry of the account's log. */
export type LogEntry = z.output<typeof log>;

/** API reference, section Logs. */
export function createLogs(transport: Transport) {
  return {
    /** List all: `GET /logs`, of one device when a serial number is given. */
    list: ({ serialNumber }: { serialNumber?: string } = {}): AsyncGenerator<LogEntry> =>
      fetchAll(transport, { route: '/logs', query: { serial_number: serialNumber } }, log),
  };
}
