import { SimpleMdmError } from '../../../src/simplemdm/errors.js';

/** The error that a call fails with; fails itself when the call succeeds or throws anything else. */
export async function failureOf(call: Promise<unknown>): Promise<SimpleMdmError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof SimpleMdmError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

/** Everything that a list holds. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
