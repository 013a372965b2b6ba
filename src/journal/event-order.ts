import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { deviceOf } from '../events/webhook-types.js';
import { KEY_PREFIX, resultsOf } from '../queues/connection.js';

/** Longer than any event waits to be looked at for the first time. */
const KEPT_S = 31 * 86_400;

/** The events of one device that nobody has looked at yet, in the order in which they happened. */
function orderKey(event: Event): string | undefined {
  const device = deviceOf(event);
  const name = device?.id ?? device?.serialNumber;
  return name === undefined ? undefined : `${KEY_PREFIX}:order:${event.account}:${name}`;
}

/** Notes that events wait, before the queue has them: a worker that is free must not look at a later one first. */
export async function noteWaiting(redis: Redis, events: readonly Event[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const event of events) {
    const key = orderKey(event);
    if (key !== undefined) pipeline.zadd(key, 'NX', Date.parse(event.at), event.id).expire(key, KEPT_S);
  }
  if (pipeline.length > 0) resultsOf(await pipeline.exec());
}

/** The event of the same device that happened earlier and has not been looked at yet, if there is one. */
export async function earlierWaiting(redis: Redis, event: Event): Promise<string | undefined> {
  const key = orderKey(event);
  if (key === undefined) return undefined;
  // One question: the first may be gone before a second one is answered, and the next would be taken for none.
  const [first, at] = await redis.zrange(key, '0', '0', 'WITHSCORES');
  if (first === undefined || first === event.id) return undefined;
  return Number(at) < Date.parse(event.at) ? first : undefined;
}

/** Notes that an event has been looked at: later ones need not wait for it any more, whatever became of it. */
export async function noteSeen(redis: Redis, event: Event): Promise<void> {
  await forget(redis, event, event.id);
}

/** Takes an event out of the order that nobody will ever look at. */
export async function forget(redis: Redis, about: Event, eventId: string): Promise<void> {
  const key = orderKey(about);
  if (key !== undefined) await redis.zrem(key, eventId);
}
