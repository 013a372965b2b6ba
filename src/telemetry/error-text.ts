import { isNativeError } from 'node:util/types';

/** The message of a thrown value, for logs and messages. */
export function errorText(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}

/** The message of a failed `fetch`, which hides the reason in the cause of its error. */
export function fetchErrorText(error: unknown): string {
  const cause = isNativeError(error) ? error.cause : undefined;
  return errorText(cause ?? error);
}

/** The system or library code of a thrown value, such as `ECONNREFUSED`; undefined without one. */
export function errorCode(error: unknown): string | undefined {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
