import { AsyncLocalStorage } from 'node:async_hooks';

/** How many API calls a task has sent. */
export interface CallCount {
  calls: number;
}

const storage = new AsyncLocalStorage<CallCount>();

/** Counts a call for the enclosing {@link countCalls}, if there is one. */
export function countCall(): void {
  const count = storage.getStore();
  if (count !== undefined) count.calls += 1;
}

/** Runs a task and counts the API calls that it sends, retries included. The response to a call of another task does not count. */
export async function countCalls<T>(count: CallCount, task: () => Promise<T>): Promise<T> {
  return storage.run(count, task);
}
