import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { pipelineResults } from '../queues/connection.js';
import type { EdgeMode, Raise, RunEdge } from '../queues/jobs.js';
import { raise } from '../queues/jobs.js';
import { DAY_S, replayTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';

/** Which devices of a rule with `when`: those of one account, as live or dry runs left them. */
export interface RaisedScope {
  readonly account: string;
  readonly rule: string;
  readonly mode: EdgeMode;
}

/** An event that tells whether the condition of a rule is true for a device. */
export interface EdgeRequest {
  readonly device: number;
  readonly isTrue: boolean;
  /** What the device is raised with, if it turns out to be raised now. */
  readonly raise: Raise;
  /** Whether the event raises a device that is raised already: a replay of everything repeats the steps. */
  readonly again: boolean;
}

/** What an event means for the device. `kept`: the condition is still true. `none`: it is still false. */
export type EdgeResult =
  { readonly kind: 'raise' | 'clear' | 'kept'; readonly raised: Raise } | { readonly kind: 'none' };

/** The raised devices of a rule in an account. */
export interface RaisedList extends RaisedScope {
  readonly devices: readonly ({ readonly device: number } & Raise)[];
}

/** The devices for which the condition of a rule with `when` is true. */
export interface RaisedDevices {
  /** Decides once per event: the same event gets the same answer again, after a crash as well. */
  readonly decide: (scope: RaisedScope, request: EdgeRequest) => Promise<EdgeResult>;
  /** Those of the devices that are raised. Keeps the outputs of their runs. */
  readonly raisedAmong: (scope: RaisedScope, devices: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Remembers the raised devices at the start of a sweep. {@link markSeen} removes those that the sweep meets. */
  readonly startSweep: (scope: RaisedScope) => Promise<void>;
  readonly markSeen: (scope: RaisedScope, devices: readonly number[]) => Promise<void>;
  /** Lets {@link dropUnseen} drop none of the devices: the sweep cannot meet all of them. */
  readonly keepUnseen: (scope: RaisedScope) => Promise<void>;
  /** Drops the devices that a complete sweep did not meet: they have left the account. Returns their number. */
  readonly dropUnseen: (scope: RaisedScope) => Promise<number>;
  /** Takes an edge back, because its run did nothing. The next sweep finds the edge again. */
  readonly takeBack: (scope: RaisedScope, device: number, edge: RunEdge) => Promise<void>;
  /** Keeps the outputs of the run that raised a device, for `on_clear`. */
  readonly saveOutputs: (
    scope: RaisedScope,
    device: number,
    event: string,
    outputs: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
  /** The outputs of the run that raised a device; empty when there are none. */
  readonly outputsOf: (scope: RaisedScope, event: string) => Promise<Record<string, unknown>>;
  /** All rules with raised devices. */
  readonly list: () => Promise<RaisedList[]>;
  /** Forgets devices of a rule; all when none is given. Returns their number. */
  readonly reset: (scope: RaisedScope, devices?: readonly number[]) => Promise<number>;
}

/** A set with the scopes that have had raised devices, as JSON. */
const indexKey = (prefix: string): string => `${prefix}:raised`;

const suffix = ({ account, rule, mode }: RaisedScope): string => `${mode}:${account}:${rule}`;

/** The raised devices of a rule in an account, by device id. */
const raisedDevicesKey = (prefix: string, scope: RaisedScope): string =>
  `${indexKey(prefix)}:${suffix(scope)}`;

/** A schedule may be due once a year. Each sweep renews the state; older state belongs to a removed rule. */
const RAISED_TTL_S = 400 * DAY_S;

/** A sweep that is unfinished for longer starts from its first page in a new job. */
const SWEEP_TTL_S = 7 * DAY_S;

/**
 * KEYS: raised devices, decision of the event, index.
 * ARGV: device, whether the condition is true, what to raise it with, whether to raise again, TTL of the decision, scope, TTL of the
 * devices.
 */
const DECIDE = defineScript(`
  local known = redis.call('get', KEYS[2])
  if known then return cjson.decode(known) end
  local current = redis.call('hget', KEYS[1], ARGV[1])
  local decision = { 'none', '' }
  if ARGV[2] == '1' then
    if current and ARGV[4] == '0' then return { 'kept', current } end
    redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
    redis.call('expire', KEYS[1], ARGV[7])
    redis.call('sadd', KEYS[3], ARGV[6])
    decision = { 'raise', ARGV[3] }
  elseif current then
    redis.call('hdel', KEYS[1], ARGV[1])
    decision = { 'clear', current }
  else
    return decision
  end
  redis.call('set', KEYS[2], cjson.encode(decision), 'EX', ARGV[5])
  return decision
`);

/** KEYS: raised devices. ARGV: device, event of the raise. */
const REMOVE_RAISE = defineScript(`
  local current = redis.call('hget', KEYS[1], ARGV[1])
  if current and cjson.decode(current).event == ARGV[2] then return redis.call('hdel', KEYS[1], ARGV[1]) end
  return 0
`);

/** KEYS: raised devices, devices that the sweep has not met. ARGV: TTL in seconds. */
const START_SWEEP = defineScript(`
  redis.call('del', KEYS[2])
  local devices = redis.call('hkeys', KEYS[1])
  for start = 1, #devices, 1000 do
    redis.call('sadd', KEYS[2], unpack(devices, start, math.min(start + 999, #devices)))
  end
  if #devices > 0 then redis.call('expire', KEYS[2], ARGV[1]) end
`);

const decision = z.tuple([z.enum(['raise', 'clear', 'kept', 'none']), z.string()]);
const scopeInIndex = z.tuple([z.string(), z.string(), z.enum(['live', 'dry_run'])]);

/** The raised devices in Redis, shared by all workers: one hash per rule, account and mode, by device id. */
export function openRaisedDevices(shard: Shard, retention: RetentionDays): RaisedDevices {
  const { redis, prefix } = shard;
  const raisedKey = (scope: RaisedScope): string => raisedDevicesKey(prefix, scope);
  const ttlS = replayTtlS(retention);
  const unseenKey = (scope: RaisedScope): string => `${prefix}:raised-unseen:${suffix(scope)}`;
  const decisionKey = ({ rule }: RaisedScope, event: string): string => `${prefix}:edge:${event}.${rule}`;
  const outputsKey = ({ rule }: RaisedScope, event: string): string =>
    `${prefix}:raised-outputs:${event}.${rule}`;

  /** The outputs of devices that are no longer raised are needed as long as their last run can be replayed. */
  const letOutputsExpire = async (scope: RaisedScope, events: readonly string[]): Promise<void> => {
    const pipeline = redis.pipeline();
    for (const event of events) pipeline.expire(outputsKey(scope, event), ttlS);
    pipelineResults(await pipeline.exec());
  };
  const forget = async (scope: RaisedScope, devices: readonly number[]): Promise<number> => {
    if (devices.length === 0) return 0;
    const entries = await redis.hmget(raisedKey(scope), ...devices.map(String));
    const removed = await redis.hdel(raisedKey(scope), ...devices.map(String));
    await letOutputsExpire(
      scope,
      entries.flatMap((entry) => (entry === null ? [] : [raiseFrom(entry).event])),
    );
    return removed;
  };
  return {
    decide: async (scope, { device, isTrue, raise: request, again }) => {
      const keys = [raisedKey(scope), decisionKey(scope, request.event), indexKey(prefix)];
      const { account, rule, mode } = scope;
      const result: unknown = await runScript(redis, DECIDE, keys, [
        device,
        isTrue ? '1' : '0',
        JSON.stringify(request),
        again ? '1' : '0',
        ttlS,
        JSON.stringify([account, rule, mode]),
        RAISED_TTL_S,
      ]);
      const [kind, entry] = decision.parse(result);
      if (kind === 'none') return { kind };
      const raised = raiseFrom(entry);
      if (kind === 'clear') await letOutputsExpire(scope, [raised.event]);
      return { kind, raised };
    },
    raisedAmong: async (scope, devices) => {
      if (devices.length === 0) return new Set();
      const entries = await redis.hmget(raisedKey(scope), ...devices.map(String));
      const raised = devices.flatMap((device, index) => {
        const entry = entries[index];
        return typeof entry === 'string' ? [{ device, event: raiseFrom(entry).event }] : [];
      });
      const pipeline = redis.pipeline();
      for (const { event } of raised) pipeline.expire(outputsKey(scope, event), RAISED_TTL_S);
      pipelineResults(await pipeline.exec());
      return new Set(raised.map(({ device }) => device));
    },
    startSweep: async (scope) => {
      await redis.expire(raisedKey(scope), RAISED_TTL_S);
      await runScript(redis, START_SWEEP, [raisedKey(scope), unseenKey(scope)], [SWEEP_TTL_S]);
    },
    markSeen: async (scope, devices) => {
      if (devices.length > 0) await redis.srem(unseenKey(scope), ...devices.map(String));
    },
    keepUnseen: async (scope) => {
      await redis.del(unseenKey(scope));
    },
    dropUnseen: async (scope) => {
      const gone = await redis.smembers(unseenKey(scope));
      const dropped = await forget(scope, gone.map(Number));
      await redis.del(unseenKey(scope));
      return dropped;
    },
    takeBack: async (scope, device, { kind, raised }) => {
      if (kind === 'raise') {
        await runScript(redis, REMOVE_RAISE, [raisedKey(scope)], [device, raised.event]);
        return;
      }
      await redis.hsetnx(raisedKey(scope), String(device), JSON.stringify(raised));
      await redis.expire(raisedKey(scope), RAISED_TTL_S);
      await redis.expire(outputsKey(scope, raised.event), RAISED_TTL_S);
    },
    saveOutputs: async (scope, device, event, outputs) => {
      const entry = await redis.hget(raisedKey(scope), String(device));
      const isRaised = entry !== null && raiseFrom(entry).event === event;
      await redis.set(
        outputsKey(scope, event),
        JSON.stringify(outputs),
        'EX',
        isRaised ? RAISED_TTL_S : ttlS,
      );
    },
    outputsOf: async (scope, event) => {
      const text = await redis.get(outputsKey(scope, event));
      return text === null ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    },
    list: async () => {
      const all = await Promise.all(
        (await scopesOf(shard)).map(async (scope): Promise<RaisedList> => {
          const entries = Object.entries(await redis.hgetall(raisedKey(scope)));
          const devices = entries
            .map(([device, entry]) => ({ device: Number(device), ...raiseFrom(entry) }))
            .sort((a, b) => a.device - b.device);
          return { ...scope, devices };
        }),
      );
      return all.filter(({ devices }) => devices.length > 0);
    },
    reset: async (scope, devices) =>
      forget(scope, devices ?? (await redis.hkeys(raisedKey(scope))).map(Number)),
  };
}

/** The number of raised devices of each rule that has any, without reading them. */
export async function countRaised(
  shard: Shard,
): Promise<readonly (RaisedScope & { readonly devices: number })[]> {
  return Promise.all(
    (await scopesOf(shard)).map(async (scope) => ({
      ...scope,
      devices: await shard.redis.hlen(raisedDevicesKey(shard.prefix, scope)),
    })),
  );
}

async function scopesOf({ redis, prefix }: Shard): Promise<RaisedScope[]> {
  return (await redis.smembers(indexKey(prefix))).map((member) => {
    const [account, rule, mode] = scopeInIndex.parse(JSON.parse(member));
    return { account, rule, mode };
  });
}

function raiseFrom(entry: string): Raise {
  return raise.parse(JSON.parse(entry));
}
