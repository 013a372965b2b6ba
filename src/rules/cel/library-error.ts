import { isNativeError } from 'node:util/types';
import { errorText } from '../../telemetry/error-text.js';

/** An error of the CEL library. */
export interface LibraryError {
  readonly code: unknown;
  /** The message, without the excerpt that the library appends. */
  readonly summary: string;
  /** The offset of the part of the expression that the error is about. */
  readonly start: number;
}

/** Reads an error that the CEL library threw. */
export function libraryError(error: unknown): LibraryError {
  return { code: codeOf(error), summary: summaryOf(error), start: startOf(error) };
}

/** The message of an error of the CEL library, without the excerpt that it appends. */
export function summaryOf(error: unknown): string {
  return isNativeError(error) && 'summary' in error && typeof error.summary === 'string'
    ? error.summary
    : errorText(error);
}

/** The code of an error of the CEL library. */
export function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

function startOf(error: unknown): number {
  const range = isNativeError(error) && 'range' in error ? error.range : undefined;
  return typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number'
    ? range.start
    : 0;
}
