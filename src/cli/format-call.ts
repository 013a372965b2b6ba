import type { ApiCall } from '../http/api-call.js';
import { escapeControlCharacters } from './terminal.js';

/**
 * A call on one line: what was sent and what came back.
 *
 * @param said - An error that stands beside it already.
 */
export function callText({ method, path, status, shared, error }: ApiCall, said?: string): string {
  const cameBack = status ?? (error === undefined || error === said ? 'no answer' : error);
  return escapeControlCharacters(`${method} ${path} → ${cameBack}${shared === true ? ' (shared)' : ''}`);
}
