import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import type { EventJob } from '../queues/jobs.js';
import { registerEvents } from './event-order.js';
import type { Journal } from '../journal/journal.js';

/** Where events come in. */
export interface EnqueueTarget {
  readonly redis: Redis;
  readonly queue: Queue<EventJob>;
  readonly journal: Journal;
}

/**
 * Takes events in, once each, whoever made them: into the order of their devices, the queue, the journal.
 *
 * The queue drops a repeat by its id; the journal then tells whether an event was new.
 *
 * @returns For each, whether it is new.
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
