import type { Event } from '../events/envelope.js';
import { enqueueEvents } from '../coordination/enqueue-events.js';
import type { EnqueueTarget } from '../coordination/enqueue-events.js';
import { problemWithConnection } from '../queues/connection.js';

/** Enqueues an event. Resolves when Redis has stored it. */
export type Intake = (event: Event) => Promise<{ duplicate: boolean }>;

/** Bounds a pipeline: its first event waits for the last one. */
const MAX_BATCH_SIZE = 500;

interface PendingEvent {
  readonly event: Event;
  readonly resolve: (result: { duplicate: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates an intake that writes all events of one tick of the event loop to Redis in one pipeline.
 *
 * When a write fails halfway, its senders get 503 and send again. The queue drops the duplicates.
 */
export function createIntake(options: EnqueueTarget): Intake {
  let pending: PendingEvent[] = [];

  function flush(): void {
    const events = pending;
    pending = [];
    for (let start = 0; start < events.length; start += MAX_BATCH_SIZE) {
      const batch = events.slice(start, start + MAX_BATCH_SIZE);
      store(batch).catch((error: unknown) => batch.forEach(({ reject }) => reject(error)));
    }
  }

  async function store(batch: readonly PendingEvent[]): Promise<void> {
    const events = batch.map(({ event }) => event);
    const isNew = await enqueueEvents(events, options);
    batch.forEach(({ resolve }, index) => resolve({ duplicate: isNew[index] !== true }));
  }

  return (event) => {
    const problem = problemWithConnection(options.redis);
    if (problem !== undefined) return Promise.reject(problem);
    return new Promise((resolve, reject) => {
      if (pending.length === 0) setImmediate(flush);
      pending.push({ event, resolve, reject });
    });
  };
}
