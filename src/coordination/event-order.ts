import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import type { Event } from '../events/envelope.js';
import { deviceKeyOf } from '../events/webhook-types.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';
import { addInArrivalOrder } from './arrival-order.js';

/** The sorted set of the unprocessed events of one device, by the time at which they happened. */
function orderKey(prefix: string, event: Event): string | undefined {
  const name = deviceKeyOf(event);
  return name === undefined ? undefined : `${prefix}:event-order:${event.account}:${name}`;
}

/** KEYS: event order. ARGV: event, time, TTL in seconds. */
const EARLIER_EVENT = defineScript(`
  redis.call('expire', KEYS[1], ARGV[3])
  local first = redis.call('zrange', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[1] or first[1] == ARGV[1] then return '' end
  local own = redis.call('zscore', KEYS[1], ARGV[1]) or ARGV[2]
  return tonumber(first[2]) < tonumber(own) and first[1] or ''
`);

/** KEYS: event order. ARGV: event. */
const REMOVE = defineScript(`
  redis.call('zrem', KEYS[1], ARGV[1])
  return redis.call('zrange', KEYS[1], 0, 0)[1] or ''
`);

/** Registers events as unprocessed. Call it before they are in the queue, so that no worker processes a later one first. */
export async function registerEvents(shard: Shard, events: readonly Event[]): Promise<void> {
  const arrivals = events.flatMap((event) => {
    const to = orderKey(shard.prefix, event);
    return to === undefined
      ? []
      : [{ to, member: event.id, at: Date.parse(event.at), ttlS: UNFINISHED_TTL_S }];
  });
  await addInArrivalOrder(shard, 'event-order', arrivals);
}

/** The first unprocessed event of the same device that happened earlier, if any. */
export async function earlierEvent({ redis, prefix }: Shard, event: Event): Promise<string | undefined> {
  const key = orderKey(prefix, event);
  if (key === undefined) return undefined;
  return eventIdFrom(
    await runScript(redis, EARLIER_EVENT, [key], [event.id, Date.parse(event.at), UNFINISHED_TTL_S]),
  );
}

/** Marks an event as processed, whether it succeeded or failed: later events need not wait for it. Returns the next event of the device. */
export async function completeEvent(shard: Shard, event: Event): Promise<string | undefined> {
  return removeEvent(shard, event, event.id);
}

/** Removes an event that no worker will process, because its job is gone. Returns the next event of the device. */
export async function removeEvent(
  { redis, prefix }: Shard,
  sameDevice: Event,
  eventId: string,
): Promise<string | undefined> {
  const key = orderKey(prefix, sameDevice);
  return key === undefined ? undefined : eventIdFrom(await runScript(redis, REMOVE, [key], [eventId]));
}

function eventIdFrom(result: unknown): string | undefined {
  return typeof result === 'string' && result !== '' ? result : undefined;
}
