import type { Redis } from 'ioredis';
import { causeOfEvent } from '../events/envelope.js';
import type { CauseOfEvent, Event } from '../events/envelope.js';
import { deviceOf } from '../events/webhook-types.js';
import { KEY_PREFIX } from '../queues/connection.js';

/** What our own steps are about to bring about, so that the webhooks that tell of it are known as ours. */
export interface Causes {
  /** Says before a call that SimpleMDM will tell of it by a webhook of this type about this device. */
  readonly note: (account: string, type: string, deviceId: number, cause: CauseOfEvent) => Promise<void>;
  /** The step that caused an event, if one of ours did. The same event has the same cause whenever it is asked for. */
  readonly of: (event: Event) => Promise<CauseOfEvent | undefined>;
}

/** A webhook that comes later than this after the call is taken for somebody else's doing. */
const EXPECTED_WITHIN_S = 600;
const KEPT_S = 31 * 86_400;

/** Gives the cause to the event, once: the next webhook of the kind is another's. */
const GIVE = `
  if redis.call('get', KEYS[1]) == ARGV[1] then
    redis.call('del', KEYS[1])
    redis.call('set', KEYS[2], ARGV[1], 'EX', ARGV[2])
  end
  return redis.call('get', KEYS[2])
`;

/** The causes in Redis, where every worker finds them. */
export function openCauses(redis: Redis): Causes {
  const expected = (account: string, type: string, deviceId: number): string =>
    `${KEY_PREFIX}:cause:expected:${account}:${type}:${deviceId}`;
  const read = (text: string | null): CauseOfEvent | undefined =>
    text === null ? undefined : causeOfEvent.parse(JSON.parse(text));
  return {
    note: async (account, type, deviceId, cause) => {
      await redis.set(expected(account, type, deviceId), JSON.stringify(cause), 'EX', EXPECTED_WITHIN_S);
    },
    of: async (event) => {
      const given = `${KEY_PREFIX}:cause:of:${event.id}`;
      const known = read(await redis.get(given));
      const deviceId = deviceOf(event)?.id;
      if (known !== undefined || deviceId === undefined) return known;
      const key = expected(event.account, event.type, deviceId);
      const waiting = await redis.get(key);
      if (waiting === null) return undefined;
      const left: unknown = await redis.eval(GIVE, 2, key, given, waiting, KEPT_S);
      return read(typeof left === 'string' ? left : null);
    },
  };
}
