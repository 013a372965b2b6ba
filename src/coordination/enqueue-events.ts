import type { Event } from '../events/envelope.js';
import { registerEvents } from './event-order.js';
import type { ShardStore } from './shard-stores.js';

/** Where events are enqueued: the store of their account. */
export type EnqueueTarget = Pick<ShardStore, 'shard' | 'events' | 'journal'>;

/**
 * Enqueues events of one shard, once each, wherever they come from: into the order of their devices, the queue, and the journal. The queue
 * drops a repeated event by its id. The journal knows whether an event is new.
 *
 * @returns For each event, whether it is new.
 */
export async function enqueueEvents(
  events: readonly Event[],
  { shard, events: queue, journal }: EnqueueTarget,
): Promise<boolean[]> {
  await registerEvents(shard, events);
  await queue.addBulk(
    events.map((event) => ({ name: event.type, data: { event }, opts: { jobId: event.id } })),
  );
  return journal.recordReceived(events);
}
