import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { ErrorCode } from '../errors/registry.js';
import { escapedJson } from './deceptive-characters.js';
import { terminalLine } from './terminal-line.js';
import { redactJson, redactJsonLine } from './redaction.js';
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
  /** Whether lines of a level are written: for lines whose fields are expensive. */
  readonly isLevelEnabled: (level: string) => boolean;
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

/** A write costs more than a line: lines leave together, after 50 ms at the latest, and when the process ends. */
const BATCH = { minLength: 4096, periodicFlush: 50 };

/** Creates the log of the service: JSON lines by pino, or a readable form on a terminal. */
export function createLogger({ level, redact, destination }: LoggerOptions): Logger {
  const isReadable = destination === undefined && process.stdout.isTTY;
  const escape = isReadable ? terminalLine : escapedJson;
  const stream =
    destination ??
    (isReadable
      ? pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : pino.destination({ fd: 1, sync: false, ...BATCH }));
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: (line) => escape(redactJsonLine(redact, line)) },
    },
    stream,
  );
}

/** A logger that masks more secrets than the log of the service, such as those of one run. */
export function withRedaction(logger: Logger, redact: Redact): Logger {
  const fieldsOf = (fields: object): object => {
    const masked = redactJson(redact, serializable(fields));
    return typeof masked === 'object' && masked !== null ? masked : {};
  };
  const method = (name: 'trace' | 'debug' | 'info'): LogMethod => {
    return (first: string | object, ...rest: unknown[]): void => {
      const values = rest.map((value) => redactJson(redact, serializable(value)));
      if (typeof first === 'string') logger[name](redact(first), ...values);
      else logger[name](fieldsOf(first), typeof values[0] === 'string' ? values[0] : undefined);
    };
  };
  const problem = (name: 'warn' | 'error' | 'fatal'): LogProblem => {
    return (fields, message) => logger[name]({ ...fieldsOf(fields), code: fields.code }, redact(message));
  };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: problem('warn'),
    error: problem('error'),
    fatal: problem('fatal'),
    child: (fields) => withRedaction(logger.child({ ...fieldsOf(fields) }), redact),
    isLevelEnabled: (level) => logger.isLevelEnabled(level),
    flush: () => logger.flush(),
  };
}

/** Errors and dates, as the log writes them. */
function serializable(value: unknown): unknown {
  if (value instanceof Error) return { type: value.name, message: value.message, stack: value.stack };
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, serializable(member)]],
    ),
  );
}
