import type { ChainableCommander, Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { deviceOf } from '../events/webhook-types.js';
import { KEY_PREFIX } from '../queues/connection.js';

/** Longer than any event waits to be looked at for the first time. */
const KEPT_S = 31 * 86_400;

/** The events of one device that nobody has looked at yet, in the order in which they happened. */
function orderKey(event: Event): string | undefined {
  const device = deviceOf(event);
  const name = device?.id ?? device?.serialNumber;
  return name === undefined ? undefined : `${KEY_PREFIX}:order:${event.account}:${name}`;
}

/** Notes that an event waits, along with what else is noted when it is received. */
export function noteWaiting(pipeline: ChainableCommander, event: Event): void {
  const key = orderKey(event);
  if (key !== undefined) pipeline.zadd(key, 'NX', Date.parse(event.at), event.id).expire(key, KEPT_S);
}

/** The event of the same device that happened earlier and has not been looked at yet, if there is one. */
export async function earlierWaiting(redis: Redis, event: Event): Promise<string | undefined> {
  const key = orderKey(event);
  if (key === undefined) return undefined;
  const [first] = await redis.zrange(key, '0', '0');
  if (first === undefined || first === event.id) return undefined;
  const at = await redis.zscore(key, first);
  return at !== null && Number(at) < Date.parse(event.at) ? first : undefined;
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
