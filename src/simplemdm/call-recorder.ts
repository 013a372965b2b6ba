import { AsyncLocalStorage } from 'node:async_hooks';
import type { ApiCall } from '../http/api-call.js';

/** A call before it is sent. */
export type PendingCall = Pick<ApiCall, 'account' | 'method' | 'path' | 'body'>;

/** The recording of one task. */
interface Recording {
  readonly calls: ApiCall[];
  readonly beforeWrite: ((call: PendingCall) => Promise<void>) | undefined;
}

const storage = new AsyncLocalStorage<Recording>();

/** Records a call for the enclosing {@link recordCalls}, if there is one. */
export function recordCall(call: ApiCall): void {
  storage.getStore()?.calls.push(call);
}

/** Runs the `beforeWrite` of the enclosing {@link recordCalls}. Await it right before a call that changes something. */
export async function beforeWrite(call: PendingCall): Promise<void> {
  await storage.getStore()?.beforeWrite?.(call);
}

/**
 * Runs a task and records its API calls in the order in which they end. Calls are added during the task, so the list is
 * complete even when the task throws.
 *
 * @param onWrite - Awaited right before each call that changes something. If `onWrite` throws, the call is not made.
 */
export async function recordCalls<T>(
  calls: ApiCall[],
  task: () => Promise<T>,
  onWrite?: (call: PendingCall) => Promise<void>,
): Promise<T> {
  return storage.run({ calls, beforeWrite: onWrite }, task);
}
