import type { Redis } from 'ioredis';
import { z } from 'zod';
import { canonicalJson } from '../events/fingerprint.js';
import { resultsOf } from '../journal/journal.js';
import { KEY_PREFIX } from '../queues/connection.js';
import { alert, labelsOf } from './alert.js';
import type { Alert } from './alert.js';
import type { Calm, WaitingGroup } from './calm.js';

/** A message that is on its way: it is kept until the other side has it. */
const underWay = z.object({
  id: z.string(),
  groups: z.array(z.object({ key: z.string(), alerts: z.array(alert) })),
  /** ISO 8601. */
  at: z.string(),
  attempts: z.int(),
});

/** A message that is on its way. */
export type UnderWay = z.output<typeof underWay>;

/** A message that could not be delivered. */
const undelivered = z.object({
  ...underWay.shape,
  channel: z.string(),
  reason: z.string(),
  since: z.string(),
});

/** A message that could not be delivered. */
export type Undelivered = z.output<typeof undelivered>;

/** A group of alerts of a channel that waits to become a message. */
export interface OpenGroup extends WaitingGroup {
  readonly key: string;
  readonly count: number;
}

/** What became of an alert that was handed in. */
export type Taken =
  | 'taken'
  /** It had been taken before: an attempt whose answer was lost. */
  | 'known'
  /** The same was told a short while ago, and the channel does not want to hear it again yet. */
  | 'repeated';

/** The alerts of all channels, in Redis. */
export interface AlertStore {
  readonly take: (given: Alert, calm: Pick<Calm, 'groupBy' | 'repeatMs'>) => Promise<Taken>;
  /** The channels that have something to send. */
  readonly busyChannels: () => Promise<string[]>;
  readonly openGroups: (channel: string) => Promise<OpenGroup[]>;
  readonly alertsIn: (channel: string, group: string) => Promise<Alert[]>;
  /** Makes a message of the first so many alerts of some groups; one with nothing in it just takes them away. */
  readonly seal: (
    channel: string,
    message: UnderWay | undefined,
    taken: readonly { readonly key: string; readonly count: number }[],
  ) => Promise<void>;
  readonly underWay: (channel: string) => Promise<UnderWay | undefined>;
  readonly saveUnderWay: (channel: string, message: UnderWay) => Promise<void>;
  /** The message has arrived. */
  readonly delivered: (channel: string, message: UnderWay, at: number, calm: Calm) => Promise<void>;
  /** The message cannot be delivered: it is put aside. */
  readonly putAside: (channel: string, message: UnderWay, reason: string) => Promise<void>;
  readonly undelivered: () => Promise<Undelivered[]>;
  /** Puts messages that were put aside back in line, as alerts. */
  readonly putBack: (id: string) => Promise<Undelivered | undefined>;
  /** Throws a message away that was put aside. False when there is none. */
  readonly discard: (id: string) => Promise<boolean>;
  /** When messages of a channel were sent within a stretch of time, the oldest first; epoch milliseconds. */
  readonly sentSince: (channel: string, since: number) => Promise<number[]>;
}

const KNOWN_FOR_S = 31 * 86_400;
const BASE = `${KEY_PREFIX}:alerts`;

const BUSY_KEY = `${BASE}:busy`;
const ASIDE_KEY = `${BASE}:undelivered`;
const groupsKey = (channel: string): string => `${BASE}:groups:${channel}`;
const groupKey = (channel: string, group: string): string => `${BASE}:group:${channel}:${group}`;
const underWayKey = (channel: string): string => `${BASE}:under-way:${channel}`;
const groupSentKey = (channel: string, group: string): string => `${BASE}:sent:${channel}:${group}`;
const sentKey = (channel: string): string => `${BASE}:sent-by:${channel}`;

/** KEYS: known, repeat, busy, groups, group. ARGV: known for s, repeat ms, channel, group, now, alert. */
const TAKE = `
  if redis.call('set', KEYS[1], '1', 'EX', ARGV[1], 'NX') == false then return 'known' end
  if tonumber(ARGV[2]) > 0 and redis.call('set', KEYS[2], '1', 'PX', ARGV[2], 'NX') == false then return 'repeated' end
  redis.call('sadd', KEYS[3], ARGV[3])
  redis.call('rpush', KEYS[5], ARGV[6])
  local first = ARGV[5]
  local times = redis.call('hget', KEYS[4], ARGV[4])
  if times then first = string.match(times, '^(%d+)') end
  redis.call('hset', KEYS[4], ARGV[4], first .. ' ' .. ARGV[5])
  return 'taken'
`;

/** Takes alerts out of a group; what came meanwhile stays. KEYS: groups, group. ARGV: group, how many, now. */
const TAKE_OUT = `
  redis.call('ltrim', KEYS[2], ARGV[2], -1)
  if redis.call('llen', KEYS[2]) == 0 then
    redis.call('hdel', KEYS[1], ARGV[1])
  else
    redis.call('hset', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. ARGV[3])
  end
`;

/** A channel is idle when nothing of it is left. KEYS: busy, groups, under way. ARGV: channel. */
const REST = `
  if redis.call('exists', KEYS[2]) == 0 and redis.call('exists', KEYS[3]) == 0 then
    redis.call('srem', KEYS[1], ARGV[1])
  end
`;

const takenForm = z.enum(['taken', 'known', 'repeated']);

/** The alerts of all channels, in Redis. */
export function openAlertStore(redis: Redis): AlertStore {
  const rest = async (channel: string): Promise<void> => {
    await redis.eval(REST, 3, BUSY_KEY, groupsKey(channel), underWayKey(channel), channel);
  };
  return {
    take: async (given, { groupBy, repeatMs = 0 }) => {
      const { channel } = given;
      const labels = labelsOf(given);
      const group = canonicalJson(Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? ''])));
      const { id: _id, at: _at, event: _event, ...told } = given;
      const keys = [
        `${BASE}:known:${given.id}:${channel}`,
        `${BASE}:told:${channel}:${canonicalJson(told)}`,
        BUSY_KEY,
        groupsKey(channel),
        groupKey(channel, group),
      ];
      const values = [KNOWN_FOR_S, repeatMs, channel, group, Date.now(), JSON.stringify(given)];
      return takenForm.parse(await redis.eval(TAKE, keys.length, ...keys, ...values));
    },
    busyChannels: () => redis.smembers(BUSY_KEY),
    openGroups: async (channel) => {
      const groups = Object.entries(await redis.hgetall(groupsKey(channel)));
      const pipeline = redis.pipeline();
      for (const [key] of groups) pipeline.llen(groupKey(channel, key)).get(groupSentKey(channel, key));
      const answers = resultsOf(await pipeline.exec());
      return groups.map(([key, times], index) => {
        const [first = 0, last = 0] = times.split(' ').map(Number);
        const sent = answers[index * 2 + 1];
        return {
          key,
          first,
          last,
          count: Number(answers[index * 2]),
          sent: sent === null ? undefined : Number(sent),
        };
      });
    },
    alertsIn: async (channel, group) => {
      const texts = await redis.lrange(groupKey(channel, group), 0, -1);
      return texts.map((text) => alert.parse(JSON.parse(text)));
    },
    seal: async (channel, message, taken) => {
      const pipeline = redis.multi();
      if (message !== undefined) pipeline.set(underWayKey(channel), JSON.stringify(message));
      for (const { key, count } of taken) {
        pipeline.eval(TAKE_OUT, 2, groupsKey(channel), groupKey(channel, key), key, count, Date.now());
      }
      resultsOf(await pipeline.exec());
      await rest(channel);
    },
    underWay: async (channel) => {
      const text = await redis.get(underWayKey(channel));
      return text === null ? undefined : underWay.parse(JSON.parse(text));
    },
    saveUnderWay: async (channel, message) => {
      await redis.set(underWayKey(channel), JSON.stringify(message));
    },
    delivered: async (channel, message, at, { groupIntervalMs, limit }) => {
      const pipeline = redis.multi().del(underWayKey(channel));
      for (const { key } of message.groups) {
        pipeline.set(groupSentKey(channel, key), String(at), 'PX', groupIntervalMs);
      }
      pipeline.zadd(sentKey(channel), at, message.id).pexpire(sentKey(channel), limit.perMs);
      resultsOf(await pipeline.exec());
      await rest(channel);
    },
    putAside: async (channel, message, reason) => {
      const aside: Undelivered = { ...message, channel, reason, since: new Date().toISOString() };
      resultsOf(
        await redis
          .multi()
          .hset(ASIDE_KEY, message.id, JSON.stringify(aside))
          .del(underWayKey(channel))
          .exec(),
      );
      await rest(channel);
    },
    undelivered: async () => {
      const all = Object.values(await redis.hgetall(ASIDE_KEY));
      return all
        .map((text) => undelivered.parse(JSON.parse(text)))
        .sort((a, b) => a.since.localeCompare(b.since));
    },
    putBack: async (id) => {
      const text = await redis.hget(ASIDE_KEY, id);
      if (text === null) return undefined;
      const aside = undelivered.parse(JSON.parse(text));
      const now = String(Date.now());
      const pipeline = redis.multi().hdel(ASIDE_KEY, id).sadd(BUSY_KEY, aside.channel);
      for (const { key, alerts } of aside.groups) {
        pipeline
          .rpush(groupKey(aside.channel, key), ...alerts.map((one) => JSON.stringify(one)))
          .hset(groupsKey(aside.channel), key, `${now} ${now}`);
      }
      resultsOf(await pipeline.exec());
      return aside;
    },
    discard: async (id) => (await redis.hdel(ASIDE_KEY, id)) === 1,
    sentSince: async (channel, since) => {
      await redis.zremrangebyscore(sentKey(channel), '-inf', since);
      const flat = await redis.zrange(sentKey(channel), '0', '-1', 'WITHSCORES');
      return flat.flatMap((value, index) => (index % 2 === 1 ? [Number(value)] : []));
    },
  };
}
