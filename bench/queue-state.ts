import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

const STATES = [
  ['llen', 'wait'],
  ['llen', 'active'],
  ['llen', 'paused'],
  ['zcard', 'delayed'],
  ['zcard', 'prioritized'],
] as const;

/** Counts the jobs of some queues that are not finished. */
export function unfinishedJobs(client: Redis, prefix: string, queues: readonly string[]) {
  const commands = queues.flatMap((queue) =>
    STATES.map(([command, state]) => [command, `${prefix}:${queue}:${state}`]),
  );
  return async (): Promise<number> => {
    // One transaction, in the order of the queues: an event that ends has its runs in the next queue.
    const replies = (await client.multi(commands).exec()) ?? [];
    return replies.reduce((sum, [, count]) => sum + Number(count), 0);
  };
}

/** Counts the events and runs of the service that are not finished. */
export function unfinishedWork(client: Redis): () => Promise<number> {
  return unfinishedJobs(client, 'mdm-reflex', ['events', 'runs']);
}

/** Waits until no job is left. */
export async function untilDone(left: () => Promise<number>, everyMs = 10): Promise<void> {
  while ((await left()) > 0) await delay(everyMs);
}
