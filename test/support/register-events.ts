import { addInArrivalOrder } from '../../src/coordination/arrival-order.js';
import { eventOrderPlace } from '../../src/coordination/event-order.js';
import type { Event } from '../../src/events/envelope.js';
import { UNFINISHED_TTL_S } from '../../src/queues/retention.js';
import type { Shard } from '../../src/queues/shards.js';

/** Registers events in the order of their devices, without jobs and traces. */
export async function registerEvents(shard: Shard, events: readonly Event[]): Promise<void> {
  const arrivals = events.flatMap((event) => {
    const { order: to, at } = eventOrderPlace(shard.prefix, event);
    return to === undefined ? [] : [{ to, member: event.id, at, ttlS: UNFINISHED_TTL_S }];
  });
  await addInArrivalOrder(shard, 'event-order', arrivals);
}
