import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';

/** One API call as jobs and traces keep it. */
export const apiCall = z.object({
  account: z.string(),
  method: z.string(),
  /** The path with its ids and query, as sent. */
  path: z.string(),
  /** The path as the reference writes it, with placeholders. */
  route: z.string(),
  /** What a write sent; never secrets of ours, the key travels in a header. */
  body: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** Undefined when there was no answer. */
  status: z.number().optional(),
  error: z.string().optional(),
  durationMs: z.number(),
  /** The same call was already in flight for something else and its answer was shared. */
  shared: z.boolean().optional(),
});

/** One API call. */
export type ApiCall = z.output<typeof apiCall>;

/** A call that is about to be made. */
export type Sending = Pick<ApiCall, 'account' | 'method' | 'path' | 'body'>;

/** What is to be done about the calls of a task. */
interface Watch {
  readonly calls: ApiCall[];
  readonly beforeWrite: ((sending: Sending) => Promise<void>) | undefined;
}

const storage = new AsyncLocalStorage<Watch>();

/** Notes a call for whoever asked with {@link recordCalls}. */
export function noteCall(call: ApiCall): void {
  storage.getStore()?.calls.push(call);
}

/** To be awaited right before a call that changes something is sent. */
export async function beforeWrite(sending: Sending): Promise<void> {
  await storage.getStore()?.beforeWrite?.(sending);
}

/**
 * Runs a task and collects the API calls that it made, in the order they ended. The list is filled while the task
 * runs, so it is complete up to the failure when the task throws.
 *
 * @param onWrite - Awaited right before each call that changes something; when it throws, the call is not made.
 */
export async function recordCalls<T>(
  calls: ApiCall[],
  task: () => Promise<T>,
  onWrite?: (sending: Sending) => Promise<void>,
): Promise<T> {
  return storage.run({ calls, beforeWrite: onWrite }, task);
}
