import { z } from 'zod';
import { fetchRecord, listOf } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { textField } from './field-types.js';

/** `MM/DD/YY HH:MM:SS` without an offset, parsed as UTC into ISO 8601. */
const logTime = z.string().transform((at) => {
  const parts = /^(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)$/.exec(at);
  if (parts === null) return at;
  const [, month = '', day = '', year = '', time = ''] = parts;
  return `20${year}-${month}-${day}T${time}.000Z`;
});

/** The attributes of a log entry; `relationships` is one of them. */
export const logAttributes = z.looseObject({
  namespace: textField,
  event_type: textField,
  /** A number in some entries, a word in others; always a string here. */
  level: z.union([z.string(), z.number().transform(String)]).nullish(),
  source: textField,
  at: logTime.nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

const log = z.looseObject({ type: textField, id: z.string(), attributes: logAttributes });

/** An entry of the account's log. */
export type LogEntry = z.output<typeof log>;

/** Filters for the log. */
export interface LogListOptions {
  /** The entries of one device. */
  readonly serialNumber?: string;
}

/** API reference, section Logs. */
export function createLogs(transport: Transport) {
  const listRequest = (options: LogListOptions = {}): ListRequest => ({
    route: '/logs',
    query: { serial_number: options.serialNumber },
  });
  return {
    /** List all: `GET /logs`. */
    ...listOf(transport, log, listRequest),

    /** Retrieve one: `GET /logs/{LOG_ID}`. */
    retrieve: (logId: string): Promise<LogEntry> =>
      fetchRecord(transport, { method: 'GET', route: '/logs/{LOG_ID}', params: { LOG_ID: logId } }, log),
  };
}
