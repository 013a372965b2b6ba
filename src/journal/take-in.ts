import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import type { EventJob } from '../queues/jobs.js';
import { noteWaiting } from './event-order.js';
import type { Journal } from './journal.js';

/** Where events come in. */
export interface WayIn {
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
export async function takeIn(events: readonly Event[], { redis, queue, journal }: WayIn): Promise<boolean[]> {
  await noteWaiting(redis, events);
  await queue.addBulk(
    events.map((event) => ({ name: event.type, data: { event }, opts: { jobId: event.id } })),
  );
  return journal.recordReceived(events);
}
