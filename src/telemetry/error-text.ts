import { isNativeError } from 'node:util/types';

/** What an unknown thrown value says, for logs and messages. */
export function errorText(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}

/** What a failed `fetch` says: it hides what went wrong in the cause of its error. */
export function fetchErrorText(error: unknown): string {
  const cause = isNativeError(error) ? error.cause : undefined;
  return errorText(cause ?? error);
}

/** The system or library code of a thrown value (`ECONNREFUSED`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
