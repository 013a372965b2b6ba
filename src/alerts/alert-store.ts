import type { Redis } from 'ioredis';
import { z } from 'zod';
import { canonicalJson } from '../events/fingerprint.js';
import { resultsOf } from '../queues/connection.js';
import { alert, labelsOf } from './alert.js';
import type { Alert } from './alert.js';
import {
  UNDELIVERED_KEY,
  BUSY_KEY,
  RECHECK_KEY,
  undeliveredKey,
  groupKey,
  groupSentAtKey,
  groupsKey,
  knownKey,
  missingKey,
  sentMessagesKey,
  contentKey,
  pendingMessageKey,
} from './alert-keys.js';
import {
  MARK_DELIVERED,
  MARK_IDLE,
  MARK_MISSING,
  MARK_UNDELIVERED,
  REQUEUE,
  SAVE_PENDING,
  CREATE_MESSAGE,
  ADD,
} from './alert-scripts.js';
import type { DeliveryPolicy, PendingGroup } from './delivery-policy.js';
import {
  alertsIn,
  serializedPrefix,
  serializeMessage,
  undeliveredMessage,
  pendingMessage,
} from './pending-message.js';
import type { UndeliveredMessage, PendingMessage } from './pending-message.js';

/** So many alerts of a group are kept in full; of those beyond only the number. */
export const MAX_ALERTS_PER_GROUP = 1000;

/** A group of alerts of a channel that waits to become a message. */
export interface OpenGroup extends PendingGroup {
  readonly key: string;
  readonly count: number;
}

/** A group as it was read to become a part of a message. */
export interface ReadGroup {
  readonly key: string;
  /** The first of them, {@link MAX_ALERTS_PER_GROUP} at most. */
  readonly alerts: readonly Alert[];
  /** How many more there are, of which only the number is known. */
  readonly more: number;
  /** The first and the last alert as they are in Redis, to tell whether they are still there. */
  readonly ends: readonly [string, string];
}

/** What became of an alert that was handed in. */
export type AddResult =
  /** It is the first of its group: its channel may be due earlier than was thought. */
  | 'opened'
  | 'joined'
  /** Its group is full: it adds to the number in the message and to nothing else. */
  | 'counted'
  /** It had been taken before: an attempt whose answer was lost. */
  | 'known'
  /** The same was told a short while ago, and the channel does not want to hear it again yet. */
  | 'repeated';

/**
 * The alerts of all channels, in Redis. What changes a message answers whether it did: false when another worker has gone on in the
 * meantime, and nothing was changed.
 */
export interface AlertStore {
  readonly add: (given: Alert, calm: Pick<DeliveryPolicy, 'groupBy' | 'repeatMs'>) => Promise<AddResult>;
  /** The channels that have something to send. */
  readonly busyChannels: () => Promise<string[]>;
  /** The channels that may be due earlier than was thought when they were looked at last. */
  readonly openedChannels: () => Promise<string[]>;
  /** A channel is looked at now. */
  readonly markChecked: (channel: string) => Promise<void>;
  /** A channel that has nothing to send is not looked at any more until the next alert. */
  readonly markIdle: (channel: string) => Promise<void>;
  readonly openGroups: (channel: string) => Promise<OpenGroup[]>;
  /** Undefined when there is no such group. */
  readonly readGroup: (channel: string, group: string) => Promise<ReadGroup | undefined>;
  /**
   * Makes a message of what was read of some groups, if nothing is under way and all of it is still there. Without a message it just
   * takes it away.
   *
   * @param untold - Alerts of which nobody is told: the same may be told again.
   */
  readonly createMessage: (
    channel: string,
    message: PendingMessage | undefined,
    taken: readonly ReadGroup[],
    untold: readonly Alert[],
  ) => Promise<boolean>;
  readonly pendingMessage: (channel: string) => Promise<PendingMessage | undefined>;
  readonly savePending: (channel: string, message: PendingMessage) => Promise<boolean>;
  /** The message has arrived. */
  readonly markDelivered: (
    channel: string,
    message: PendingMessage,
    at: number,
    calm: DeliveryPolicy,
  ) => Promise<boolean>;
  /** The message cannot be delivered: it is put aside, for so long. */
  readonly markUndelivered: (
    channel: string,
    message: PendingMessage,
    reason: string,
    keepMs: number,
  ) => Promise<boolean>;
  readonly undelivered: () => Promise<UndeliveredMessage[]>;
  /** How many there are, without reading them. */
  readonly countUndelivered: () => Promise<number>;
  /** Puts a message that was put aside back in line, as alerts. */
  readonly requeue: (id: string) => Promise<UndeliveredMessage | undefined>;
  /** Drops a message that was put aside. */
  readonly drop: (id: string) => Promise<boolean>;
  /** Since when a channel with something to send has been missing in the rule files, in epoch milliseconds; and whether that is news. */
  readonly missingSince: (channel: string) => Promise<{ readonly since: number; readonly isNew: boolean }>;
  /** A channel is in the rule files. */
  readonly clearMissing: (channel: string) => Promise<void>;
  /** When messages of a channel were sent within a stretch of time, the oldest first; epoch milliseconds. */
  readonly sentSince: (channel: string, since: number) => Promise<number[]>;
}

const KNOWN_TTL_S = 31 * 86_400;
const MISSING_TTL_MS = 86_400_000;

const addResult = z.enum(['opened', 'joined', 'counted', 'known', 'repeated']);
const missingResult = z.tuple([z.coerce.number(), z.int()]);

/** The alerts of all channels, in Redis. */
export function openAlertStore(redis: Redis): AlertStore {
  const run = (
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> => redis.eval(script, keys.length, ...keys, ...values);
  const changes = async (
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<boolean> => (await run(script, keys, values)) === 1;
  return {
    add: async (given, { groupBy, repeatMs = 0 }) => {
      const { channel, id } = given;
      const labels = labelsOf(given);
      const group = canonicalJson(Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? ''])));
      const keys = [
        knownKey(given),
        contentKey(given),
        BUSY_KEY,
        RECHECK_KEY,
        groupsKey(channel),
        groupKey(channel, group),
      ];
      const values = [KNOWN_TTL_S, repeatMs, channel, group, Date.now(), id, JSON.stringify(given)];
      return addResult.parse(await run(ADD, keys, [...values, MAX_ALERTS_PER_GROUP]));
    },
    busyChannels: () => redis.smembers(BUSY_KEY),
    openedChannels: () => redis.smembers(RECHECK_KEY),
    markChecked: async (channel) => {
      await redis.srem(RECHECK_KEY, channel);
    },
    markIdle: async (channel) => {
      await run(MARK_IDLE, [BUSY_KEY, groupsKey(channel), pendingMessageKey(channel)], [channel]);
    },
    openGroups: async (channel) => {
      const groups = Object.entries(await redis.hgetall(groupsKey(channel)));
      const pipeline = redis.pipeline();
      for (const [key] of groups) pipeline.llen(groupKey(channel, key)).get(groupSentAtKey(channel, key));
      const answers = resultsOf(await pipeline.exec());
      return groups.flatMap(([key, text], index) => {
        const { first, last, more } = stateOf(text);
        const alerts = Number(answers[index * 2]);
        const sent = answers[index * 2 + 1];
        // It may have been taken away between the two questions.
        if (alerts === 0) return [];
        return [{ key, first, last, count: alerts + more, sent: sent === null ? undefined : Number(sent) }];
      });
    },
    readGroup: async (channel, key) => {
      const texts = await redis.lrange(groupKey(channel, key), 0, MAX_ALERTS_PER_GROUP - 1);
      const state = await redis.hget(groupsKey(channel), key);
      const [first] = texts;
      const last = texts.at(-1);
      if (first === undefined || last === undefined || state === null) return undefined;
      const alerts = texts.map((text) => alert.parse(JSON.parse(text)));
      return { key, alerts, more: stateOf(state).more, ends: [first, last] };
    },
    createMessage: (channel, message, taken, untold) =>
      changes(
        CREATE_MESSAGE,
        [
          pendingMessageKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          ...taken.map(({ key }) => groupKey(channel, key)),
          ...untold.map(contentKey),
        ],
        [
          channel,
          message === undefined ? '' : serializeMessage(message),
          Date.now(),
          taken.length,
          ...taken.flatMap(({ key, alerts, more, ends }) => [key, alerts.length, ...ends, more]),
          ...untold.map(({ id }) => id),
        ],
      ),
    pendingMessage: async (channel) => {
      const text = await redis.get(pendingMessageKey(channel));
      return text === null ? undefined : pendingMessage.parse(JSON.parse(text));
    },
    savePending: (channel, message) =>
      changes(
        SAVE_PENDING,
        [pendingMessageKey(channel)],
        [serializedPrefix(message), serializeMessage(message)],
      ),
    markDelivered: (channel, message, at, { groupIntervalMs, limit }) =>
      changes(
        MARK_DELIVERED,
        [
          pendingMessageKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          sentMessagesKey(channel),
          ...message.groups.map(({ key }) => groupSentAtKey(channel, key)),
        ],
        [serializedPrefix(message), channel, message.id, at, groupIntervalMs, limit.perMs],
      ),
    markUndelivered: (channel, message, reason, keepMs) => {
      const now = new Date();
      const aside: UndeliveredMessage = { ...message, channel, reason, since: now.toISOString() };
      const alerts = alertsIn(message);
      return changes(
        MARK_UNDELIVERED,
        [
          pendingMessageKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          UNDELIVERED_KEY,
          undeliveredKey(message.id),
          ...alerts.map(contentKey),
        ],
        [
          serializedPrefix(message),
          channel,
          message.id,
          now.getTime(),
          JSON.stringify(aside),
          keepMs,
          ...alerts.map(({ id }) => id),
        ],
      );
    },
    undelivered: async () => {
      const ids = await redis.zrange(UNDELIVERED_KEY, '0', '-1');
      if (ids.length === 0) return [];
      const texts = await redis.mget(...ids.map(undeliveredKey));
      const expired = ids.filter((_id, index) => texts[index] === null);
      if (expired.length > 0) await redis.zrem(UNDELIVERED_KEY, ...expired);
      return texts.flatMap((text) => (text === null ? [] : [undeliveredMessage.parse(JSON.parse(text))]));
    },
    countUndelivered: async () => {
      const ids = await redis.zrange(UNDELIVERED_KEY, '0', '-1');
      return ids.length === 0 ? 0 : redis.exists(...ids.map(undeliveredKey));
    },
    requeue: async (id) => {
      const text = await redis.get(undeliveredKey(id));
      if (text === null) return undefined;
      const aside = undeliveredMessage.parse(JSON.parse(text));
      const { channel, groups } = aside;
      const keys = [
        undeliveredKey(id),
        UNDELIVERED_KEY,
        BUSY_KEY,
        RECHECK_KEY,
        groupsKey(channel),
        ...groups.map(({ key }) => groupKey(channel, key)),
      ];
      const values = groups.flatMap(({ key, alerts, more }) => [
        key,
        more,
        alerts.length,
        ...alerts.map((one) => JSON.stringify(one)),
      ]);
      // What was put aside under an id never changes, so that whoever takes it away has read it as it was.
      return (await changes(REQUEUE, keys, [id, channel, Date.now(), ...values])) ? aside : undefined;
    },
    drop: async (id) => {
      const results = resultsOf(await redis.multi().del(undeliveredKey(id)).zrem(UNDELIVERED_KEY, id).exec());
      return results[0] === 1;
    },
    missingSince: async (channel) => {
      const [since, isNew] = missingResult.parse(
        await run(MARK_MISSING, [missingKey(channel)], [Date.now(), MISSING_TTL_MS]),
      );
      return { since, isNew: isNew === 1 };
    },
    clearMissing: async (channel) => {
      await redis.del(missingKey(channel));
    },
    sentSince: async (channel, since) => {
      await redis.zremrangebyscore(sentMessagesKey(channel), '-inf', since);
      const flat = await redis.zrange(sentMessagesKey(channel), '0', '-1', 'WITHSCORES');
      return flat.flatMap((value, index) => (index % 2 === 1 ? [Number(value)] : []));
    },
  };
}

/** Reads the state of an open group. */
function stateOf(text: string): { first: number; last: number; more: number } {
  const [first = 0, last = 0, more = 0] = text.split(' ').map(Number);
  return { first, last, more };
}
