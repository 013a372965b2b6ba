import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { deviceKeyOf } from '../events/webhook-types.js';
import { KEY_PREFIX, pipelineResults } from '../queues/connection.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';
import { addInArrivalOrder } from './arrival-order.js';

/** The sorted set of the unprocessed events of one device, by the time at which they happened. */
function orderKey(event: Event): string | undefined {
  const name = deviceKeyOf(event);
  return name === undefined ? undefined : `${KEY_PREFIX}:event-order:${event.account}:${name}`;
}

/** KEYS: event order. ARGV: event, time, TTL in seconds. */
const EARLIER_EVENT = `
  redis.call('expire', KEYS[1], ARGV[3])
  local first = redis.call('zrange', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[1] or first[1] == ARGV[1] then return '' end
  local own = redis.call('zscore', KEYS[1], ARGV[1]) or ARGV[2]
  return tonumber(first[2]) < tonumber(own) and first[1] or ''
`;

/** KEYS: event order. ARGV: event. */
const REMOVE = `
  redis.call('zrem', KEYS[1], ARGV[1])
  return redis.call('zrange', KEYS[1], 0, 0)[1] or ''
`;

/** Registers events as unprocessed. Call it before they are in the queue, so that no worker processes a later one first. */
export async function registerEvents(redis: Redis, events: readonly Event[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const event of events) {
    const to = orderKey(event);
    if (to === undefined) continue;
    const at = Date.parse(event.at);
    pipeline.eval(...addInArrivalOrder('event-order', { to, member: event.id, at, ttlS: UNFINISHED_TTL_S }));
  }
  if (pipeline.length > 0) pipelineResults(await pipeline.exec());
}

/** The first unprocessed event of the same device that happened earlier, if any. */
export async function earlierEvent(redis: Redis, event: Event): Promise<string | undefined> {
  const key = orderKey(event);
  if (key === undefined) return undefined;
  return eventIdFrom(
    await redis.eval(EARLIER_EVENT, 1, key, event.id, Date.parse(event.at), UNFINISHED_TTL_S),
  );
}

/** Marks an event as processed, whether it succeeded or failed: later events need not wait for it. Returns the next event of the device. */
export async function completeEvent(redis: Redis, event: Event): Promise<string | undefined> {
  return removeEvent(redis, event, event.id);
}

/** Removes an event that no worker will process, because its job is gone. Returns the next event of the device. */
export async function removeEvent(
  redis: Redis,
  sameDevice: Event,
  eventId: string,
): Promise<string | undefined> {
  const key = orderKey(sameDevice);
  return key === undefined ? undefined : eventIdFrom(await redis.eval(REMOVE, 1, key, eventId));
}

function eventIdFrom(result: unknown): string | undefined {
  return typeof result === 'string' && result !== '' ? result : undefined;
}
