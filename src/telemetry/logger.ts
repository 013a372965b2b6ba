import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { ErrorCode } from '../errors/registry.js';
import { redactJsonLine } from './redaction.js';
import type { Redact } from './redaction.js';

/** Writes a line of level trace, debug or info. */
export interface LogMethod {
  (message: string, ...values: unknown[]): void;
  (fields: object, message?: string): void;
}

/** Writes a line of level warn, error or fatal, which reports a problem and therefore carries its code. */
export type LogProblem = (
  fields: { readonly code: ErrorCode } & Readonly<Record<string, unknown>>,
  message: string,
) => void;

/** A pino logger whose lines at warn and above carry the code of the problem. docs/errors.md explains each code. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogProblem;
  readonly error: LogProblem;
  readonly fatal: LogProblem;
  readonly child: (fields: Record<string, unknown>) => Logger;
  /** Flushes buffered lines. */
  readonly flush: () => void;
}

/** How the logger writes. */
export interface LoggerOptions {
  readonly level: string;
  /** Applied to every serialized line, so that no field, message or stack leaks a secret. */
  readonly redact: Redact;
  /** Default: standard output, in a readable form when it is a terminal. */
  readonly destination?: DestinationStream;
}

/** Creates the log of the service: JSON lines by pino, or a readable form on a terminal. */
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
