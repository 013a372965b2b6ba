import type { Event } from '../events/envelope.js';
import { enqueueEvents } from '../coordination/enqueue-events.js';
import type { EnqueueTarget } from '../coordination/enqueue-events.js';

/** Takes an event; resolves when Redis has it. */
export type Intake = (event: Event) => Promise<{ duplicate: boolean }>;

/** More than this in one pipeline would make the first of them wait for the last. */
const LARGEST_BATCH = 500;

interface Waiting {
  readonly event: Event;
  readonly resolve: (taken: { duplicate: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An intake that sends the events that arrive in the same tick to Redis in one pipeline, and answers each only when it is in.
 *
 * Should something fail in between, the sender is told to come back, and its repeat is dropped.
 */
export function createIntake(options: EnqueueTarget): Intake {
  let waiting: Waiting[] = [];

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (let start = 0; start < all.length; start += LARGEST_BATCH) {
      const batch = all.slice(start, start + LARGEST_BATCH);
      store(batch).catch((error: unknown) => batch.forEach(({ reject }) => reject(error)));
    }
  }

  async function store(batch: readonly Waiting[]): Promise<void> {
    const events = batch.map(({ event }) => event);
    const isNew = await enqueueEvents(events, options);
    batch.forEach(({ resolve }, index) => resolve({ duplicate: isNew[index] !== true }));
  }

  return (event) => {
    // BullMQ would wait for the connection; a sender must be told at once.
    const { status } = options.redis;
    if (status !== 'ready') return Promise.reject(new Error(`Redis is away (${status})`));
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ event, resolve, reject });
    });
  };
}
