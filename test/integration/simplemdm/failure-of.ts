import { SimpleMdmError } from '../../../src/simplemdm/errors.js';

/** The error of a failed call. Throws when the call succeeds or throws another error. */
export async function failureOf(call: Promise<unknown>): Promise<SimpleMdmError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof SimpleMdmError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

/** All items of a list. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
