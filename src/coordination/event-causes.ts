import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import { eventCause } from '../events/envelope.js';
import type { EventCause, Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { replayTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';

/** The webhooks that SimpleMDM sends because of actions of this service. */
export interface EventCauses {
  /**
   * For `expect_event` ({@link EVENT_CAUSES_LUA}), before an action: SimpleMDM will send one webhook of this type about this device because of
   * `cause`.
   */
  readonly expectPart: (account: string, type: string, deviceId: number, cause: EventCause) => ScriptPart;
  /** Call it after an action that failed: no webhook will come. */
  readonly cancel: (account: string, type: string, deviceId: number, cause: EventCause) => Promise<void>;
}

/** A webhook that arrives later than this after an action counts as caused by someone else. */
const EXPECTATION_TTL_S = 600;
/** More expected webhooks for one device mean that SimpleMDM does not send them. */
const MAX_EXPECTED_PER_DEVICE = 50;

/**
 * Lua:
 *
 * - `expect_event(part)`: for `expectPart` of {@link EventCauses}.
 * - `cause_of(part)`: assigns the oldest expected cause to an event and returns it, or false: each action causes one webhook. For
 *   {@link causePart}.
 */
export const EVENT_CAUSES_LUA = `
local function expect_event(part)
  local expected, cause, ttl, max = unpack(part)
  redis.call('rpush', expected, cause)
  redis.call('ltrim', expected, -tonumber(max), -1)
  redis.call('expire', expected, ttl)
end

local function cause_of(part)
  local expected, of, ttl = unpack(part)
  local cause = redis.call('get', of) or redis.call('lpop', expected)
  if cause then redis.call('set', of, cause, 'EX', ttl) end
  return cause
end
`;

const expectedKey = (prefix: string, account: string, type: string, deviceId: number): string =>
  `${prefix}:cause:expected:${account}:${type}:${deviceId}`;

const causeKey = (prefix: string, eventId: string): string => `${prefix}:cause:of:${eventId}`;

/** What `cause_of` needs to know of an event; empty when nothing can have caused it. */
export function causePart(prefix: string, event: Event, retention: RetentionDays): ScriptPart {
  const deviceId = deviceReferenceOf(event)?.id;
  // An event that a rule emitted names its cause.
  if (deviceId === undefined || event.causedBy !== undefined) return [];
  return [
    expectedKey(prefix, event.account, event.type, deviceId),
    causeKey(prefix, event.id),
    replayTtlS(retention),
  ];
}

/** Reads what `cause_of` gave. */
export function causeFrom(text: string): EventCause | undefined {
  return text === '' ? undefined : eventCause.parse(JSON.parse(text));
}

/** The causes in Redis, shared by all workers. The cause of an event outlives its dead letter ({@link replayTtlS}). */
export function openEventCauses({ redis, prefix }: Shard): EventCauses {
  return {
    expectPart: (account, type, deviceId, cause) => [
      expectedKey(prefix, account, type, deviceId),
      JSON.stringify(cause),
      EXPECTATION_TTL_S,
      MAX_EXPECTED_PER_DEVICE,
    ],
    cancel: async (account, type, deviceId, cause) => {
      await redis.lrem(expectedKey(prefix, account, type, deviceId), 1, JSON.stringify(cause));
    },
  };
}
