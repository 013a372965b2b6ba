import type { Redis } from 'ioredis';
import { eventCause } from '../events/envelope.js';
import type { EventCause, Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { KEY_PREFIX } from '../queues/connection.js';

/** What our own steps are about to bring about, so that the webhooks that tell of it are known as ours. */
export interface EventCauses {
  /** Says before a call that SimpleMDM will tell of it by one webhook of this type about this device. */
  readonly expect: (account: string, type: string, deviceId: number, cause: EventCause) => Promise<void>;
  /** Takes that back: the call failed, and no webhook will tell of it. */
  readonly cancel: (account: string, type: string, deviceId: number, cause: EventCause) => Promise<void>;
  /** The step that caused an event, if one of ours did. The same event has the same cause whenever it is asked for. */
  readonly causeOf: (event: Event) => Promise<EventCause | undefined>;
}

/** A webhook that comes later than this after the call is taken for somebody else's doing. */
const EXPECTATION_TTL_S = 600;
/** Calls about one device that no webhook has told of yet; more are a sign that none will. */
const MAX_EXPECTED_PER_DEVICE = 50;
const CAUSE_TTL_S = 31 * 86_400;

/** KEYS: expected. ARGV: cause, seconds, how many are kept. */
const EXPECT = `
  redis.call('rpush', KEYS[1], ARGV[1])
  redis.call('ltrim', KEYS[1], -tonumber(ARGV[3]), -1)
  redis.call('expire', KEYS[1], ARGV[2])
`;

/** Gives the event one cause, for good: each call is told of by one webhook. KEYS: expected, cause of the event. ARGV: seconds. */
const CAUSE_OF = `
  local known = redis.call('get', KEYS[2])
  if known then return known end
  local cause = redis.call('lpop', KEYS[1])
  if cause then redis.call('set', KEYS[2], cause, 'EX', ARGV[1]) end
  return cause
`;

/** The causes in Redis, where every worker finds them. */
export function openEventCauses(redis: Redis): EventCauses {
  const expected = (account: string, type: string, deviceId: number): string =>
    `${KEY_PREFIX}:cause:expected:${account}:${type}:${deviceId}`;
  return {
    expect: async (account, type, deviceId, cause) => {
      const values = [JSON.stringify(cause), EXPECTATION_TTL_S, MAX_EXPECTED_PER_DEVICE];
      await redis.eval(EXPECT, 1, expected(account, type, deviceId), ...values);
    },
    cancel: async (account, type, deviceId, cause) => {
      await redis.lrem(expected(account, type, deviceId), 1, JSON.stringify(cause));
    },
    causeOf: async (event) => {
      const deviceId = deviceReferenceOf(event)?.id;
      if (deviceId === undefined) return undefined;
      const keys = [expected(event.account, event.type, deviceId), `${KEY_PREFIX}:cause:of:${event.id}`];
      const given: unknown = await redis.eval(CAUSE_OF, 2, ...keys, CAUSE_TTL_S);
      return typeof given === 'string' ? eventCause.parse(JSON.parse(given)) : undefined;
    },
  };
}
