import { AsyncLocalStorage } from 'node:async_hooks';
import type { ApiCall } from '../http/api-call.js';

/** A call that is about to be made. */
export type PendingCall = Pick<ApiCall, 'account' | 'method' | 'path' | 'body'>;

/** What is to be done about the calls of a task. */
interface Watch {
  readonly calls: ApiCall[];
  readonly beforeWrite: ((sending: PendingCall) => Promise<void>) | undefined;
}

const storage = new AsyncLocalStorage<Watch>();

/** Notes a call for whoever asked with {@link recordCalls}. */
export function recordCall(call: ApiCall): void {
  storage.getStore()?.calls.push(call);
}

/** To be awaited right before a call that changes something is sent. */
export async function beforeWrite(sending: PendingCall): Promise<void> {
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
  onWrite?: (sending: PendingCall) => Promise<void>,
): Promise<T> {
  return storage.run({ calls, beforeWrite: onWrite }, task);
}
