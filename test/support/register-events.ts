import { addInArrivalOrder } from '../../src/coordination/arrival-order.js';
import { EVENT_ORDER_LUA, eventOrderPlace, removeEvent } from '../../src/coordination/event-order.js';
import type { Event } from '../../src/events/envelope.js';
import { UNFINISHED_TTL_S } from '../../src/queues/retention.js';
import { defineScript, runScript } from '../../src/queues/script.js';
import type { Shard } from '../../src/queues/shards.js';

/** Registers events in the order of their devices, without jobs and traces. */
export async function registerEvents(shard: Shard, events: readonly Event[]): Promise<void> {
  const arrivals = events.flatMap((event) => {
    const { order: to, at } = eventOrderPlace(shard.prefix, event);
    return to === undefined ? [] : [{ to, member: event.id, at, ttlS: UNFINISHED_TTL_S }];
  });
  await addInArrivalOrder(shard, 'event-order', arrivals);
}

/** KEYS: event order. ARGV: event, time, TTL in seconds. */
const EARLIER_EVENT = defineScript(
  `${EVENT_ORDER_LUA} return earlier_event({ KEYS[1], ARGV[1], ARGV[2], ARGV[3] })`,
);

/** The first unprocessed event of the same device that happened earlier, if any, as the script that begins an event sees it. */
export async function earlierEvent({ redis, prefix }: Shard, event: Event): Promise<string | undefined> {
  const { order, at } = eventOrderPlace(prefix, event);
  if (order === undefined) return undefined;
  const found: unknown = await runScript(redis, EARLIER_EVENT, [order], [event.id, at, UNFINISHED_TTL_S]);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** Takes a processed event out of the order. Returns the next event of the device. */
export async function completeEvent(shard: Shard, event: Event): Promise<string | undefined> {
  return removeEvent(shard, event, event.id);
}
