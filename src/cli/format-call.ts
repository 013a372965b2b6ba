import type { ApiCall } from '../http/api-call.js';
import { escapeControlCharacters } from './terminal.js';

/**
 * A call on one line: the request, and the status or the error.
 *
 * @param shownError - An error that the line shows elsewhere, not to be repeated.
 */
export function callText({ method, path, status, shared, error }: ApiCall, shownError?: string): string {
  const result = status ?? (error === undefined || error === shownError ? 'no response' : error);
  return escapeControlCharacters(`${method} ${path} → ${result}${shared === true ? ' (shared)' : ''}`);
}
