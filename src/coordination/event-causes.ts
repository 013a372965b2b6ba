import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { eventCause } from '../events/envelope.js';
import type { EventCause, Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { replayTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';

/** The webhooks that SimpleMDM sends because of actions of this service. */
export interface EventCauses {
  /** Call it before an action: SimpleMDM will send one webhook of this type about this device because of `cause`. */
  readonly expect: (account: string, type: string, deviceId: number, cause: EventCause) => Promise<void>;
  /** Call it after an action that failed: no webhook will come. */
  readonly cancel: (account: string, type: string, deviceId: number, cause: EventCause) => Promise<void>;
  /** The action that caused an event, if any. Every attempt and replay of the event gets the same cause. */
  readonly causeOf: (event: Event) => Promise<EventCause | undefined>;
}

/** A webhook that arrives later than this after an action counts as caused by someone else. */
const EXPECTATION_TTL_S = 600;
/** More expected webhooks for one device mean that SimpleMDM does not send them. */
const MAX_EXPECTED_PER_DEVICE = 50;

/** KEYS: expected causes. ARGV: cause, TTL in seconds, maximum length. */
const EXPECT = defineScript(`
  redis.call('rpush', KEYS[1], ARGV[1])
  redis.call('ltrim', KEYS[1], -tonumber(ARGV[3]), -1)
  redis.call('expire', KEYS[1], ARGV[2])
`);

/** Assigns the oldest expected cause to the event: each action causes one webhook. KEYS: expected causes, cause of the event. ARGV: TTL in seconds. */
const CAUSE_OF = defineScript(`
  local cause = redis.call('get', KEYS[2]) or redis.call('lpop', KEYS[1])
  if cause then redis.call('set', KEYS[2], cause, 'EX', ARGV[1]) end
  return cause
`);

/** The causes in Redis, shared by all workers. The cause of an event outlives its dead letter ({@link replayTtlS}). */
export function openEventCauses({ redis, prefix }: Shard, retention: RetentionDays): EventCauses {
  const expectedKey = (account: string, type: string, deviceId: number): string =>
    `${prefix}:cause:expected:${account}:${type}:${deviceId}`;
  const causeKey = (eventId: string): string => `${prefix}:cause:of:${eventId}`;
  return {
    expect: async (account, type, deviceId, cause) => {
      const values = [JSON.stringify(cause), EXPECTATION_TTL_S, MAX_EXPECTED_PER_DEVICE];
      await runScript(redis, EXPECT, [expectedKey(account, type, deviceId)], values);
    },
    cancel: async (account, type, deviceId, cause) => {
      await redis.lrem(expectedKey(account, type, deviceId), 1, JSON.stringify(cause));
    },
    causeOf: async (event) => {
      const deviceId = deviceReferenceOf(event)?.id;
      if (deviceId === undefined) return undefined;
      const keys = [expectedKey(event.account, event.type, deviceId), causeKey(event.id)];
      const cause: unknown = await runScript(redis, CAUSE_OF, keys, [replayTtlS(retention)]);
      return typeof cause === 'string' ? eventCause.parse(JSON.parse(cause)) : undefined;
    },
  };
}
