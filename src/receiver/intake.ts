import type { Event } from '../events/envelope.js';
import { MAX_EVENTS_PER_SCRIPT, enqueueEvents } from '../coordination/enqueue-events.js';
import type { ShardStore, ShardStores } from '../coordination/shard-stores.js';
import { problemWithConnection } from '../queues/connection.js';

/** Enqueues an event. Resolves when Redis has stored it. */
export type Intake = (event: Event) => Promise<{ duplicate: boolean }>;

/** How many batches of a shard Redis has at a time. While it stores one, the receiver reads the webhooks of the next. */
const MAX_BATCHES = 2;
/** A batch that takes longer than this, because Redis is slow, no longer holds others back. */
const MAX_HOLD_MS = 20;

interface PendingEvent {
  readonly event: Event;
  readonly resolve: (result: { duplicate: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates an intake that writes all events of one tick of the event loop to Redis in one batch for each shard. Under load, the events that
 * arrive while Redis stores others form one batch too, so batches grow with the load.
 *
 * When a batch fails, its senders get 503 and send again. The journal knows which of the events are duplicates.
 */
export function createIntake(stores: ShardStores): Intake {
  const batches = new Map<ShardStore, (item: PendingEvent) => void>();

  function batchesOf(store: ShardStore): (item: PendingEvent) => void {
    const known = batches.get(store);
    if (known !== undefined) return known;
    const created = createBatches(store);
    batches.set(store, created);
    return created;
  }

  return (event) => {
    const problem = problemWithConnection(stores.shards.redis);
    if (problem !== undefined) return Promise.reject(problem);
    return new Promise((resolve, reject) => {
      batchesOf(stores.of(event.account))({ event, resolve, reject });
    });
  };
}

/** Collects events and stores them in batches. */
function createBatches(store: ShardStore): (item: PendingEvent) => void {
  let pending: PendingEvent[] = [];
  let isScheduled = false;
  let open = 0;

  function schedule(): void {
    if (isScheduled || open >= MAX_BATCHES || pending.length === 0) return;
    isScheduled = true;
    setImmediate(send);
  }

  function send(): void {
    isScheduled = false;
    const batch = pending.slice(0, MAX_EVENTS_PER_SCRIPT);
    pending = pending.slice(MAX_EVENTS_PER_SCRIPT);
    open += 1;
    let isHolding = true;
    const release = (): void => {
      if (!isHolding) return;
      isHolding = false;
      open -= 1;
      schedule();
    };
    const timer = setTimeout(release, MAX_HOLD_MS);
    // A script that fails must not fail the events of another one.
    storeBatch(batch, store)
      .catch((error: unknown) => batch.forEach(({ reject }) => reject(error)))
      .finally(() => {
        clearTimeout(timer);
        release();
      });
    schedule();
  }

  return (item) => {
    pending.push(item);
    schedule();
  };
}

async function storeBatch(batch: readonly PendingEvent[], store: ShardStore): Promise<void> {
  const events = batch.map(({ event }) => event);
  const isNew = await enqueueEvents(events, store);
  batch.forEach(({ resolve }, index) => resolve({ duplicate: isNew[index] !== true }));
}
