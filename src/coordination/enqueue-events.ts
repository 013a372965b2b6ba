import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import type { EventJob } from '../queues/jobs.js';
import { registerEvents } from './event-order.js';
import type { Journal } from '../journal/journal.js';

/** Where events are enqueued. */
export interface EnqueueTarget {
  readonly redis: Redis;
  readonly queue: Queue<EventJob>;
  readonly journal: Journal;
}

/**
 * Enqueues events, once each, wherever they come from: into the order of their devices, the queue, and the journal. The queue drops a
 * repeated event by its id. The journal knows whether an event is new.
 *
 * @returns For each event, whether it is new.
 */
export async function enqueueEvents(
  events: readonly Event[],
  { redis, queue, journal }: EnqueueTarget,
): Promise<boolean[]> {
  await registerEvents(redis, events);
  await queue.addBulk(
    events.map((event) => ({ name: event.type, data: { event }, opts: { jobId: event.id } })),
  );
  return journal.recordReceived(events);
}
