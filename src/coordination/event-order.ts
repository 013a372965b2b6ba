import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { KEY_PREFIX, pipelineResults } from '../queues/connection.js';
import { addInArrivalOrder } from './arrival-order.js';

/** Longer than any event waits to be looked at for the first time. */
const ORDER_TTL_S = 31 * 86_400;

/** The events of one device that nobody has looked at yet, in the order in which they happened. */
function orderKey(event: Event): string | undefined {
  const device = deviceReferenceOf(event);
  const name = device?.id ?? device?.serialNumber;
  return name === undefined ? undefined : `${KEY_PREFIX}:order:${event.account}:${name}`;
}

/** KEYS: order. ARGV: event, at. */
const EARLIER_EVENT = `
  local first = redis.call('zrange', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[1] or first[1] == ARGV[1] then return '' end
  local own = redis.call('zscore', KEYS[1], ARGV[1]) or ARGV[2]
  return tonumber(first[2]) < tonumber(own) and first[1] or ''
`;

/** KEYS: order. ARGV: event. */
const REMOVE = `
  redis.call('zrem', KEYS[1], ARGV[1])
  return redis.call('zrange', KEYS[1], 0, 0)[1] or ''
`;

/** Notes that events wait, before the queue has them: a worker that is free must not look at a later one first. */
export async function registerEvents(redis: Redis, events: readonly Event[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const event of events) {
    const key = orderKey(event);
    if (key === undefined) continue;
    const at = Date.parse(event.at);
    pipeline.eval(...addInArrivalOrder('order', { to: key, member: event.id, at, keptS: ORDER_TTL_S }));
  }
  if (pipeline.length > 0) pipelineResults(await pipeline.exec());
}

/** The event of the same device that happened earlier and has not been looked at yet, if there is one. */
export async function earlierEvent(redis: Redis, event: Event): Promise<string | undefined> {
  const key = orderKey(event);
  return key === undefined
    ? undefined
    : eventIdFrom(await redis.eval(EARLIER_EVENT, 1, key, event.id, Date.parse(event.at)));
}

/** Notes that an event has been looked at: later ones need not wait for it any more, whatever became of it. Gives the next. */
export async function completeEvent(redis: Redis, event: Event): Promise<string | undefined> {
  return removeEvent(redis, event, event.id);
}

/** Takes an event out of the order that nobody will ever look at. Gives the one that is first now. */
export async function removeEvent(redis: Redis, about: Event, eventId: string): Promise<string | undefined> {
  const key = orderKey(about);
  return key === undefined ? undefined : eventIdFrom(await redis.eval(REMOVE, 1, key, eventId));
}

function eventIdFrom(answer: unknown): string | undefined {
  return typeof answer === 'string' && answer !== '' ? answer : undefined;
}
