import { SimpleMdmError } from '../simplemdm/errors.js';

/** The record; null when the API returns 404. */
export async function nullWhenNotFound<T>(retrieve: () => Promise<T>): Promise<T | null> {
  try {
    return await retrieve();
  } catch (error) {
    if (error instanceof SimpleMdmError && error.notFound) return null;
    throw error;
  }
}
