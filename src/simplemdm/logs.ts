import { z } from 'zod';
import { fetchAll, fetchPage, fetchRecord } from './resource.js';
import type { ListRequest, Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';

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

/** What narrows a list of log entries. */
export interface LogListOptions {
  /** Of one device. */
  readonly serialNumber?: string;
}

/** API reference, section Logs. */
export function createLogs(transport: Transport) {
  const listed = ({ serialNumber }: LogListOptions = {}): ListRequest => ({
    route: '/logs',
    query: { serial_number: serialNumber },
  });
  return {
    /** List all: `GET /logs`. */
    list: (options?: LogListOptions): AsyncGenerator<LogEntry> => fetchAll(transport, listed(options), log),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions, options?: LogListOptions): Promise<Page<LogEntry>> =>
      fetchPage(transport, listed(options), log, page),

    /** Retrieve one: `GET /logs/{LOG_ID}`. */
    retrieve: (logId: string): Promise<LogEntry> =>
      fetchRecord(transport, { method: 'GET', route: '/logs/{LOG_ID}', params: { LOG_ID: logId } }, log),
  };
}
