import type { Event } from '../events/envelope.js';
import { MAX_EVENTS_PER_SCRIPT, enqueueEvents } from '../coordination/enqueue-events.js';
import type { ShardStore, ShardStores } from '../coordination/shard-stores.js';
import { problemWithConnection } from '../queues/connection.js';

/** Enqueues an event. Resolves when Redis has stored it. */
export type Intake = (event: Event) => Promise<{ duplicate: boolean }>;

interface PendingEvent {
  readonly event: Event;
  readonly resolve: (result: { duplicate: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates an intake that writes all events of one tick of the event loop to Redis in one batch for each shard.
 *
 * When a batch fails, its senders get 503 and send again. The journal knows which of the events are duplicates.
 */
export function createIntake(stores: ShardStores): Intake {
  let pending: PendingEvent[] = [];

  function flush(): void {
    const byStore = new Map<ShardStore, PendingEvent[]>();
    for (const item of pending) {
      const store = stores.of(item.event.account);
      const sameShard = byStore.get(store);
      if (sameShard === undefined) byStore.set(store, [item]);
      else sameShard.push(item);
    }
    pending = [];
    for (const [store, sameShard] of byStore) {
      // A script that fails must not fail the events of another one.
      for (let start = 0; start < sameShard.length; start += MAX_EVENTS_PER_SCRIPT) {
        const batch = sameShard.slice(start, start + MAX_EVENTS_PER_SCRIPT);
        storeBatch(batch, store).catch((error: unknown) => batch.forEach(({ reject }) => reject(error)));
      }
    }
  }

  async function storeBatch(batch: readonly PendingEvent[], store: ShardStore): Promise<void> {
    const events = batch.map(({ event }) => event);
    const isNew = await enqueueEvents(events, store);
    batch.forEach(({ resolve }, index) => resolve({ duplicate: isNew[index] !== true }));
  }

  return (event) => {
    const problem = problemWithConnection(stores.shards.redis);
    if (problem !== undefined) return Promise.reject(problem);
    return new Promise((resolve, reject) => {
      if (pending.length === 0) setImmediate(flush);
      pending.push({ event, resolve, reject });
    });
  };
}
