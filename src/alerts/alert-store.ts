import type { Redis } from 'ioredis';
import { z } from 'zod';
import { canonicalJson } from '../events/fingerprint.js';
import { resultsOf } from '../queues/connection.js';
import { alert, labelsOf } from './alert.js';
import type { Alert } from './alert.js';
import {
  ASIDE_KEY,
  BUSY_KEY,
  OPENED_KEY,
  asideKey,
  groupKey,
  groupSentKey,
  groupsKey,
  knownKey,
  missingKey,
  sentKey,
  toldKey,
  underWayKey,
} from './alert-keys.js';
import { DELIVERED, LET_REST, NOTE_MISSING, PUT_ASIDE, PUT_BACK, SAVE, SEAL, TAKE } from './alert-scripts.js';
import type { Calm, WaitingGroup } from './calm.js';
import { alertsOf, beginningOf, stored, undelivered, underWay } from './stored-message.js';
import type { Undelivered, UnderWay } from './stored-message.js';

/** So many alerts of a group are kept in full; of those beyond only the number. */
export const MOST_ALERTS = 1000;

/** A group of alerts of a channel that waits to become a message. */
export interface OpenGroup extends WaitingGroup {
  readonly key: string;
  readonly count: number;
}

/** A group as it was read to become a part of a message. */
export interface ReadGroup {
  readonly key: string;
  /** The first of them, {@link MOST_ALERTS} at most. */
  readonly alerts: readonly Alert[];
  /** How many more there are, of which only the number is known. */
  readonly more: number;
  /** The first and the last alert as they are in Redis, to tell whether they are still there. */
  readonly ends: readonly [string, string];
}

/** What became of an alert that was handed in. */
export type Taken =
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
  readonly take: (given: Alert, calm: Pick<Calm, 'groupBy' | 'repeatMs'>) => Promise<Taken>;
  /** The channels that have something to send. */
  readonly busyChannels: () => Promise<string[]>;
  /** The channels that may be due earlier than was thought when they were looked at last. */
  readonly openedChannels: () => Promise<string[]>;
  /** A channel is looked at now. */
  readonly look: (channel: string) => Promise<void>;
  /** A channel that has nothing to send is not looked at any more until the next alert. */
  readonly rest: (channel: string) => Promise<void>;
  readonly openGroups: (channel: string) => Promise<OpenGroup[]>;
  /** Undefined when there is no such group. */
  readonly read: (channel: string, group: string) => Promise<ReadGroup | undefined>;
  /**
   * Makes a message of what was read of some groups, if nothing is under way and all of it is still there. Without a message it just
   * takes it away.
   *
   * @param untold - Alerts of which nobody is told: the same may be told again.
   */
  readonly seal: (
    channel: string,
    message: UnderWay | undefined,
    taken: readonly ReadGroup[],
    untold: readonly Alert[],
  ) => Promise<boolean>;
  readonly underWay: (channel: string) => Promise<UnderWay | undefined>;
  readonly saveUnderWay: (channel: string, message: UnderWay) => Promise<boolean>;
  /** The message has arrived. */
  readonly delivered: (channel: string, message: UnderWay, at: number, calm: Calm) => Promise<boolean>;
  /** The message cannot be delivered: it is put aside, for so long. */
  readonly putAside: (channel: string, message: UnderWay, reason: string, keepMs: number) => Promise<boolean>;
  readonly undelivered: () => Promise<Undelivered[]>;
  /** How many there are, without reading them. */
  readonly countUndelivered: () => Promise<number>;
  /** Puts a message that was put aside back in line, as alerts. */
  readonly putBack: (id: string) => Promise<Undelivered | undefined>;
  /** Drops a message that was put aside. */
  readonly drop: (id: string) => Promise<boolean>;
  /** Since when a channel with something to send has been missing in the rule files, in epoch milliseconds; and whether that is news. */
  readonly missingSince: (channel: string) => Promise<{ readonly since: number; readonly isNew: boolean }>;
  /** A channel is in the rule files. */
  readonly found: (channel: string) => Promise<void>;
  /** When messages of a channel were sent within a stretch of time, the oldest first; epoch milliseconds. */
  readonly sentSince: (channel: string, since: number) => Promise<number[]>;
}

const KNOWN_FOR_S = 31 * 86_400;
const MISSING_FOR_MS = 86_400_000;

const takenForm = z.enum(['opened', 'joined', 'counted', 'known', 'repeated']);
const missingForm = z.tuple([z.coerce.number(), z.int()]);

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
    take: async (given, { groupBy, repeatMs = 0 }) => {
      const { channel, id } = given;
      const labels = labelsOf(given);
      const group = canonicalJson(Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? ''])));
      const keys = [
        knownKey(given),
        toldKey(given),
        BUSY_KEY,
        OPENED_KEY,
        groupsKey(channel),
        groupKey(channel, group),
      ];
      const values = [KNOWN_FOR_S, repeatMs, channel, group, Date.now(), id, JSON.stringify(given)];
      return takenForm.parse(await run(TAKE, keys, [...values, MOST_ALERTS]));
    },
    busyChannels: () => redis.smembers(BUSY_KEY),
    openedChannels: () => redis.smembers(OPENED_KEY),
    look: async (channel) => {
      await redis.srem(OPENED_KEY, channel);
    },
    rest: async (channel) => {
      await run(LET_REST, [BUSY_KEY, groupsKey(channel), underWayKey(channel)], [channel]);
    },
    openGroups: async (channel) => {
      const groups = Object.entries(await redis.hgetall(groupsKey(channel)));
      const pipeline = redis.pipeline();
      for (const [key] of groups) pipeline.llen(groupKey(channel, key)).get(groupSentKey(channel, key));
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
    read: async (channel, key) => {
      const texts = await redis.lrange(groupKey(channel, key), 0, MOST_ALERTS - 1);
      const state = await redis.hget(groupsKey(channel), key);
      const [first] = texts;
      const last = texts.at(-1);
      if (first === undefined || last === undefined || state === null) return undefined;
      const alerts = texts.map((text) => alert.parse(JSON.parse(text)));
      return { key, alerts, more: stateOf(state).more, ends: [first, last] };
    },
    seal: (channel, message, taken, untold) =>
      changes(
        SEAL,
        [
          underWayKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          ...taken.map(({ key }) => groupKey(channel, key)),
          ...untold.map(toldKey),
        ],
        [
          channel,
          message === undefined ? '' : stored(message),
          Date.now(),
          taken.length,
          ...taken.flatMap(({ key, alerts, more, ends }) => [key, alerts.length, ...ends, more]),
          ...untold.map(({ id }) => id),
        ],
      ),
    underWay: async (channel) => {
      const text = await redis.get(underWayKey(channel));
      return text === null ? undefined : underWay.parse(JSON.parse(text));
    },
    saveUnderWay: (channel, message) =>
      changes(SAVE, [underWayKey(channel)], [beginningOf(message), stored(message)]),
    delivered: (channel, message, at, { groupIntervalMs, limit }) =>
      changes(
        DELIVERED,
        [
          underWayKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          sentKey(channel),
          ...message.groups.map(({ key }) => groupSentKey(channel, key)),
        ],
        [beginningOf(message), channel, message.id, at, groupIntervalMs, limit.perMs],
      ),
    putAside: (channel, message, reason, keepMs) => {
      const now = new Date();
      const aside: Undelivered = { ...message, channel, reason, since: now.toISOString() };
      const alerts = alertsOf(message);
      return changes(
        PUT_ASIDE,
        [
          underWayKey(channel),
          BUSY_KEY,
          groupsKey(channel),
          ASIDE_KEY,
          asideKey(message.id),
          ...alerts.map(toldKey),
        ],
        [
          beginningOf(message),
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
      const ids = await redis.zrange(ASIDE_KEY, '0', '-1');
      if (ids.length === 0) return [];
      const texts = await redis.mget(...ids.map(asideKey));
      const expired = ids.filter((_id, index) => texts[index] === null);
      if (expired.length > 0) await redis.zrem(ASIDE_KEY, ...expired);
      return texts.flatMap((text) => (text === null ? [] : [undelivered.parse(JSON.parse(text))]));
    },
    countUndelivered: async () => {
      const ids = await redis.zrange(ASIDE_KEY, '0', '-1');
      return ids.length === 0 ? 0 : redis.exists(...ids.map(asideKey));
    },
    putBack: async (id) => {
      const text = await redis.get(asideKey(id));
      if (text === null) return undefined;
      const aside = undelivered.parse(JSON.parse(text));
      const { channel, groups } = aside;
      const keys = [
        asideKey(id),
        ASIDE_KEY,
        BUSY_KEY,
        OPENED_KEY,
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
      return (await changes(PUT_BACK, keys, [id, channel, Date.now(), ...values])) ? aside : undefined;
    },
    drop: async (id) => {
      const results = resultsOf(await redis.multi().del(asideKey(id)).zrem(ASIDE_KEY, id).exec());
      return results[0] === 1;
    },
    missingSince: async (channel) => {
      const [since, isNew] = missingForm.parse(
        await run(NOTE_MISSING, [missingKey(channel)], [Date.now(), MISSING_FOR_MS]),
      );
      return { since, isNew: isNew === 1 };
    },
    found: async (channel) => {
      await redis.del(missingKey(channel));
    },
    sentSince: async (channel, since) => {
      await redis.zremrangebyscore(sentKey(channel), '-inf', since);
      const flat = await redis.zrange(sentKey(channel), '0', '-1', 'WITHSCORES');
      return flat.flatMap((value, index) => (index % 2 === 1 ? [Number(value)] : []));
    },
  };
}

/** Reads the state of an open group. */
function stateOf(text: string): { first: number; last: number; more: number } {
  const [first = 0, last = 0, more = 0] = text.split(' ').map(Number);
  return { first, last, more };
}
