import { runScript } from '../queues/script.js';
import type { Script } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import type { ErrorCode } from '../errors/registry.js';
import { pipelineResults } from '../queues/connection.js';
import { alert, isImmediate } from './alert.js';
import type { Alert } from './alert.js';
import { alertKeys } from './alert-keys.js';
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
import type { DeliveryPolicy, GroupTimes } from './delivery-policy.js';
import { groupKeyOf, isImmediateGroup } from './group-key.js';
import {
  alertsIn,
  serializedPrefix,
  serializeMessage,
  undeliveredMessage,
  pendingMessage,
} from './pending-message.js';
import type { UndeliveredMessage, PendingMessage } from './pending-message.js';
import { trackProblem } from './problem-state.js';

/** A group stores this many alerts in full and only counts the rest. */
export const MAX_ALERTS_PER_GROUP = 1000;

/** A group of alerts that waits to become a message. */
export interface OpenGroup extends GroupTimes {
  readonly key: string;
  readonly immediate: boolean;
  readonly count: number;
}

/** The alerts of an open group at the time of reading. */
export interface GroupSnapshot {
  readonly key: string;
  /** The first alerts, {@link MAX_ALERTS_PER_GROUP} at most. */
  readonly alerts: readonly Alert[];
  /** How many more alerts are only counted. */
  readonly more: number;
  /** The first and the last alert as stored in Redis, to check later that they are still there. */
  readonly ends: readonly [string, string];
}

/** The result of adding an alert. */
export type AddResult =
  /** The alert opened a group, so its channel may be due earlier. */
  | 'opened'
  | 'joined'
  /** The group is full: the alert is only counted. */
  | 'counted'
  /** The alert was added before, by an attempt whose response was lost. */
  | 'duplicate'
  /** An alert with the same content was added less than `repeat_interval` ago. */
  | 'repeated'
  /** The alert resolves a problem that no alert has reported, or that is resolved already. */
  | 'not_open';

/** Why a message was not delivered. */
export interface DeliveryFailure {
  readonly code: ErrorCode;
  readonly reason: string;
}

/**
 * The alerts of all channels, in Redis. Methods that change a message return false, and change nothing, when another worker has
 * continued with the channel.
 */
export interface AlertStore {
  readonly add: (
    added: Alert,
    policy: Pick<DeliveryPolicy, 'groupBy' | 'perKey' | 'repeatIntervalMs'>,
  ) => Promise<AddResult>;
  /** The channels with open groups or a pending message. */
  readonly busyChannels: () => Promise<string[]>;
  /** The channels with a group that was opened since {@link AlertStore.markChecked}. */
  readonly channelsToRecheck: () => Promise<string[]>;
  /** Call before reading the groups of a channel. */
  readonly markChecked: (channel: string) => Promise<void>;
  /** Removes the channel from the busy channels if it has nothing to send. */
  readonly markIdle: (channel: string) => Promise<void>;
  readonly openGroups: (channel: string) => Promise<OpenGroup[]>;
  /**
   * Undefined when there is no such group.
   *
   * @param perKey - Reads only the first alerts, as long as they have the same key and status.
   */
  readonly readGroup: (
    channel: string,
    group: string,
    perKey?: boolean,
  ) => Promise<GroupSnapshot | undefined>;
  /**
   * Moves the alerts of some groups into a pending message, if none is pending and all of the alerts are still there. Without a
   * message, removes the alerts.
   *
   * @param silenced - Alerts whose content may be added again.
   */
  readonly createMessage: (
    channel: string,
    message: PendingMessage | undefined,
    groups: readonly GroupSnapshot[],
    silenced: readonly Alert[],
  ) => Promise<boolean>;
  readonly pendingMessage: (channel: string) => Promise<PendingMessage | undefined>;
  readonly savePending: (channel: string, message: PendingMessage) => Promise<boolean>;
  /** @param at - Epoch milliseconds. */
  readonly markDelivered: (
    channel: string,
    message: PendingMessage,
    at: number,
    policy: DeliveryPolicy,
  ) => Promise<boolean>;
  /** Keeps the message for `keepMs` as undelivered, so that the channel can continue. */
  readonly markUndelivered: (
    channel: string,
    message: PendingMessage,
    failure: DeliveryFailure,
    keepMs: number,
  ) => Promise<boolean>;
  readonly undelivered: () => Promise<UndeliveredMessage[]>;
  /** The number of undelivered messages, without reading them. */
  readonly countUndelivered: () => Promise<number>;
  /** Puts the alerts of an undelivered message back into their groups. Undefined when there is no such message. */
  readonly requeue: (id: string) => Promise<UndeliveredMessage | undefined>;
  /** Deletes an undelivered message. False when there is no such message. */
  readonly drop: (id: string) => Promise<boolean>;
  /** Since when a busy channel has been missing from the rule files, in epoch milliseconds, and whether this call recorded the time. */
  readonly missingSince: (channel: string) => Promise<{ readonly since: number; readonly isNew: boolean }>;
  /** Call when the channel is in the rule files. */
  readonly clearMissing: (channel: string) => Promise<void>;
  /** When the channel sent messages after `since`, the oldest first. Epoch milliseconds. */
  readonly sentSince: (channel: string, since: number) => Promise<number[]>;
}

const ADDED_TTL_S = 31 * 86_400;
const MISSING_TTL_MS = 86_400_000;

const addResult = z.enum(['opened', 'joined', 'counted', 'duplicate', 'repeated']);
const missingResult = z.tuple([z.coerce.number(), z.int()]);

/** Opens the alert store. */
export function openAlertStore(shard: Shard): AlertStore {
  const { redis, prefix } = shard;
  const key = alertKeys(prefix);
  const run = (
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> => runScript(redis, script, keys, values);
  const hasChanged = async (
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<boolean> => (await run(script, keys, values)) === 1;
  return {
    add: async (original, policy) => {
      const { perKey, repeatIntervalMs = 0 } = policy;
      const { alert: added, isOpen } = await trackProblem(shard, original);
      // A service that knows keys ignores the resolve of an unknown one, and may know a problem that is forgotten here.
      if (!isOpen && !perKey) return 'not_open';
      const { channel, id } = added;
      const group = groupKeyOf(added, policy);
      const keys = [
        key.added(added),
        key.content(added),
        key.busy,
        key.recheck,
        key.groups(channel),
        key.group(channel, group),
      ];
      const resolves = perKey && added.status === 'resolved';
      const repeatMs = isImmediate(added) ? 0 : repeatIntervalMs;
      const values = [ADDED_TTL_S, repeatMs, channel, group, Date.now(), id, JSON.stringify(added)];
      return addResult.parse(await run(ADD, keys, [...values, MAX_ALERTS_PER_GROUP, resolves ? 1 : 0]));
    },
    busyChannels: () => redis.smembers(key.busy),
    channelsToRecheck: () => redis.smembers(key.recheck),
    markChecked: async (channel) => {
      await redis.srem(key.recheck, channel);
    },
    markIdle: async (channel) => {
      await run(MARK_IDLE, [key.busy, key.groups(channel), key.pendingMessage(channel)], [channel]);
    },
    openGroups: async (channel) => {
      const groups = Object.entries(await redis.hgetall(key.groups(channel)));
      const pipeline = redis.pipeline();
      for (const [name] of groups)
        pipeline.llen(key.group(channel, name)).get(key.groupSentAt(channel, name));
      const results = pipelineResults(await pipeline.exec());
      return groups.flatMap(([name, text], index) => {
        const { firstAt, lastAt, more, resolves } = parseGroupState(text);
        const alerts = Number(results[index * 2]);
        const sentAt = results[index * 2 + 1];
        // Another worker may have removed the group between the two reads.
        if (alerts === 0) return [];
        const count = alerts + more;
        const times = { firstAt, lastAt, sentAt: sentAt === null ? undefined : Number(sentAt) };
        return [{ key: name, count, ...times, resolves, immediate: isImmediateGroup(name) }];
      });
    },
    readGroup: async (channel, name, perKey = false) => {
      const texts = await redis.lrange(key.group(channel, name), 0, MAX_ALERTS_PER_GROUP - 1);
      const state = await redis.hget(key.groups(channel), name);
      const all = texts.map((text) => alert.parse(JSON.parse(text)));
      const alerts = perKey ? sameReport(all) : all;
      const [first] = texts;
      const last = texts[alerts.length - 1];
      if (first === undefined || last === undefined || state === null) return undefined;
      return { key: name, alerts, more: parseGroupState(state).more, ends: [first, last] };
    },
    createMessage: (channel, message, groups, silenced) =>
      hasChanged(
        CREATE_MESSAGE,
        [
          key.pendingMessage(channel),
          key.busy,
          key.groups(channel),
          ...groups.map((group) => key.group(channel, group.key)),
          ...silenced.map(key.content),
        ],
        [
          channel,
          message === undefined ? '' : serializeMessage(message),
          Date.now(),
          groups.length,
          ...groups.flatMap(({ key: name, alerts, more, ends }) => [name, alerts.length, ...ends, more]),
          ...silenced.map(({ id }) => id),
        ],
      ),
    pendingMessage: async (channel) => {
      const text = await redis.get(key.pendingMessage(channel));
      return text === null ? undefined : pendingMessage.parse(JSON.parse(text));
    },
    savePending: (channel, message) =>
      hasChanged(
        SAVE_PENDING,
        [key.pendingMessage(channel)],
        [serializedPrefix(message), serializeMessage(message)],
      ),
    markDelivered: (channel, message, at, { groupIntervalMs, limit }) =>
      hasChanged(
        MARK_DELIVERED,
        [
          key.pendingMessage(channel),
          key.busy,
          key.groups(channel),
          key.sentMessages(channel),
          ...message.groups.map((group) => key.groupSentAt(channel, group.key)),
        ],
        [serializedPrefix(message), channel, message.id, at, groupIntervalMs, limit.perMs],
      ),
    markUndelivered: (channel, message, { code, reason }, keepMs) => {
      const now = new Date();
      const undelivered: UndeliveredMessage = { ...message, channel, code, reason, since: now.toISOString() };
      const alerts = alertsIn(message);
      return hasChanged(
        MARK_UNDELIVERED,
        [
          key.pendingMessage(channel),
          key.busy,
          key.groups(channel),
          key.allUndelivered,
          key.undelivered(message.id),
          ...alerts.map(key.content),
        ],
        [
          serializedPrefix(message),
          channel,
          message.id,
          now.getTime(),
          JSON.stringify(undelivered),
          keepMs,
          ...alerts.map(({ id }) => id),
        ],
      );
    },
    undelivered: async () => {
      const ids = await redis.zrange(key.allUndelivered, '0', '-1');
      if (ids.length === 0) return [];
      const texts = await redis.mget(...ids.map(key.undelivered));
      const expired = ids.filter((_id, index) => texts[index] === null);
      if (expired.length > 0) await redis.zrem(key.allUndelivered, ...expired);
      return texts.flatMap((text) => (text === null ? [] : [undeliveredMessage.parse(JSON.parse(text))]));
    },
    countUndelivered: async () => {
      const ids = await redis.zrange(key.allUndelivered, '0', '-1');
      return ids.length === 0 ? 0 : redis.exists(...ids.map(key.undelivered));
    },
    requeue: async (id) => {
      const text = await redis.get(key.undelivered(id));
      if (text === null) return undefined;
      const undelivered = undeliveredMessage.parse(JSON.parse(text));
      const { channel, groups } = undelivered;
      const keys = [
        key.undelivered(id),
        key.allUndelivered,
        key.busy,
        key.recheck,
        key.groups(channel),
        ...groups.map((group) => key.group(channel, group.key)),
      ];
      const values = groups.flatMap(({ key: name, alerts, more }) => [
        name,
        more,
        alerts.length,
        ...alerts.map((requeued) => JSON.stringify(requeued)),
      ]);
      // An undelivered message never changes, so the caller whose DEL succeeds has read the current one.
      return (await hasChanged(REQUEUE, keys, [id, channel, Date.now(), ...values]))
        ? undelivered
        : undefined;
    },
    drop: async (id) => {
      const results = pipelineResults(
        await redis.multi().del(key.undelivered(id)).zrem(key.allUndelivered, id).exec(),
      );
      return results[0] === 1;
    },
    missingSince: async (channel) => {
      const [since, isNew] = missingResult.parse(
        await run(MARK_MISSING, [key.missing(channel)], [Date.now(), MISSING_TTL_MS]),
      );
      return { since, isNew: isNew === 1 };
    },
    clearMissing: async (channel) => {
      await redis.del(key.missing(channel));
    },
    sentSince: async (channel, since) => {
      await redis.zremrangebyscore(key.sentMessages(channel), '-inf', since);
      const flat = await redis.zrange(key.sentMessages(channel), '0', '-1', 'WITHSCORES');
      return flat.flatMap((value, index) => (index % 2 === 1 ? [Number(value)] : []));
    },
  };
}

/** The first alerts, as long as they report the same about the same problem. */
function sameReport(alerts: readonly Alert[]): readonly Alert[] {
  const [first] = alerts;
  const end = alerts.findIndex(({ key, status }) => key !== first?.key || status !== first?.status);
  return end < 0 ? alerts : alerts.slice(0, end);
}

/** Parses a value of the hash of open groups: "first last more", and " r" when the group resolves its problem. */
function parseGroupState(text: string): { firstAt: number; lastAt: number; more: number; resolves: boolean } {
  const [firstAt = 0, lastAt = 0, more = 0] = text.split(' ', 3).map(Number);
  return { firstAt, lastAt, more, resolves: text.endsWith(' r') };
}
