import { defineScript, runScript } from '../queues/script.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import type { Event } from '../events/envelope.js';
import { deviceKeyOf } from '../events/webhook-types.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';

/** The sorted set of the unprocessed events of one device, by the time at which they happened. */
function orderKey(prefix: string, event: Event): string | undefined {
  const name = deviceKeyOf(event);
  return name === undefined ? undefined : `${prefix}:event-order:${event.account}:${name}`;
}

/**
 * Lua, for {@link eventOrderPart}:
 *
 * - `earlier_event(part)`: the first unprocessed event of the same device that happened earlier; empty without one.
 * - `leave_event_order(part)`: removes the event and returns the next one of its device; empty without one.
 */
export const EVENT_ORDER_LUA = `
local function earlier_event(part)
  local key, event, at, ttl = unpack(part)
  redis.call('expire', key, ttl)
  local first = redis.call('zrange', key, 0, 0, 'WITHSCORES')
  if not first[1] or first[1] == event then return '' end
  local own = redis.call('zscore', key, event) or at
  return tonumber(first[2]) < tonumber(own) and first[1] or ''
end

local function leave_event_order(part)
  local key, event = unpack(part)
  redis.call('zrem', key, event)
  return redis.call('zrange', key, 0, 0)[1] or ''
end
`;

/** What {@link EVENT_ORDER_LUA} needs to know of an event; empty for an event without a device, which has no order. */
export function eventOrderPart(prefix: string, event: Event): ScriptPart {
  const key = orderKey(prefix, event);
  return key === undefined ? [] : [key, event.id, Date.parse(event.at), UNFINISHED_TTL_S];
}

/** KEYS: event order. ARGV: event. */
const REMOVE = defineScript(`${EVENT_ORDER_LUA} return leave_event_order({ KEYS[1], ARGV[1] })`);

/** Where an event is among the unprocessed events of its device. */
export interface EventOrderPlace {
  /** The key of the order; undefined for an event without a device, which has none. */
  readonly order: string | undefined;
  /** When the event happened, in epoch milliseconds. */
  readonly at: number;
}

/** Where an event goes in the order of its device. `enqueueEvents` puts it there. */
export function eventOrderPlace(prefix: string, event: Event): EventOrderPlace {
  return { order: orderKey(prefix, event), at: Date.parse(event.at) };
}

/** The counter that orders events of a device that happened at the same time. */
export const arrivalsKey = (prefix: string): string => `${prefix}:arrivals:event-order`;

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
