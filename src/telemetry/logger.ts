import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import pretty from 'pino-pretty';
import { redactJsonLine } from './redaction.js';
import type { Redact } from './redaction.js';

export type { Logger } from 'pino';

/** How the logger writes. */
export interface LoggerOptions {
  readonly level: string;
  /** Applied to every finished line, so that no field, message or stack can carry a secret out. */
  readonly redact: Redact;
  /** Where lines go; standard output by default, coloured and readable when that is a terminal. */
  readonly destination?: DestinationStream;
}

/** The service's log: JSON lines by pino, or a readable form on a terminal. */
export function createLogger({ level, redact, destination }: LoggerOptions): Logger {
  const stream =
    destination ??
    (process.stdout.isTTY
      ? pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : pino.destination({ fd: 1, sync: false }));
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: (line) => redactJsonLine(redact, line) },
    },
    stream,
  );
}
