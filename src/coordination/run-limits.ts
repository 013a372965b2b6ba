import { defineScript, runScript } from '../queues/script.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { pipelineResults } from '../queues/connection.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';

/** How many runs may start within a window of time. */
export interface RunLimit {
  readonly runs: number;
  readonly windowMs: number;
  /** Whether the limit counts the runs of all rules of the account that have a shared limit, not only those of the rule. */
  readonly shared: boolean;
  /** Why a rule over the limit is held. */
  readonly reason: string;
}

const heldRule = z.object({
  account: z.string(),
  rule: z.string(),
  since: z.string(),
  reason: z.string(),
});

/** A rule over its run limit. Its runs wait until a person releases or drops them. */
export type HeldRule = z.output<typeof heldRule>;

/** A held rule with the number of its waiting runs. */
export interface HeldRuleWithCount extends HeldRule {
  /** All of them, those behind earlier runs included. */
  readonly waitingRuns: number;
  /** How many wait behind an earlier run of their concurrency group, and ask the run limit after it. */
  readonly behindEarlierRuns: number;
}

/** A run that asks whether it may start. */
export interface AdmissionRequest {
  readonly account: string;
  readonly rule: string;
  /** Identifies the run; the same in each request. */
  readonly run: string;
  /** When the run was planned, in epoch milliseconds. */
  readonly plannedAt: number;
  /** All of them apply. The first one that is reached holds the rule. */
  readonly limits: readonly RunLimit[];
}

/** The answer to an {@link AdmissionRequest}. */
export type Admission =
  | { readonly kind: 'admitted' }
  | {
      readonly kind: 'held';
      readonly held: HeldRule;
      /** Whether this request reached the limit; false when the rule was held before. */
      readonly isNew: boolean;
      /** How many runs of the rule have asked and wait. */
      readonly waiting: number;
    }
  /** A person dropped the runs that waited. */
  | { readonly kind: 'dropped' };

/** The answer to a run that may not start. */
export type Refusal = Exclude<Admission, { readonly kind: 'admitted' }>;

/** The keys and values of `admit`. */
export interface AdmissionParts {
  readonly keys: readonly string[];
  readonly values: ScriptPart;
}

/** The run limits of all rules. */
export interface RunLimits {
  /** Asks for a run to start. A run that was admitted before is admitted again and counts once. */
  readonly admit: (request: AdmissionRequest) => Promise<Admission>;
  /** For {@link ADMIT_LUA}. */
  readonly partsOf: (request: AdmissionRequest) => AdmissionParts;
  /**
   * Notes that a run waits behind an earlier run of its concurrency group, until it asks for admission. If the rule is held, the run waits
   * for a person as well.
   */
  readonly addBehind: (account: string, rule: string, run: string) => Promise<void>;
  /** Removes a run that has ended from the waiting runs of its rule. */
  readonly removeWaiting: (account: string, rule: string, run: string) => Promise<void>;
  /** For {@link REMOVE_WAITING_LUA}. */
  readonly waitingPart: (account: string, rule: string, run: string) => ScriptPart;
  readonly listHeld: () => Promise<HeldRuleWithCount[]>;
  /** Lets the runs of a rule start; those behind earlier runs follow them in their order. False when the rule is not held. */
  readonly release: (account: string, rule: string) => Promise<boolean>;
  /** Drops the waiting runs of a rule; those behind earlier runs are dropped when they ask. False when the rule is not held. */
  readonly drop: (account: string, rule: string) => Promise<boolean>;
}

/**
 * Lua: `admit(KEYS, ARGV)`. KEYS: held rules, waiting runs, time of the last drop, runs behind earlier ones, started runs of each limit.
 * ARGV: field, now, plannedAt, run, TTL in seconds; for each limit: window in ms, runs, record of the held rule.
 */
export const ADMIT_LUA = `
local function admit(KEYS, ARGV)
  redis.call('srem', KEYS[4], ARGV[4])
  local known = #KEYS > 4
  for i = 5, #KEYS do
    if not redis.call('zscore', KEYS[i], ARGV[4]) then known = false end
  end
  if known then return { 'admitted' } end
  local dropped = tonumber(redis.call('get', KEYS[3]) or '0')
  if tonumber(ARGV[3]) <= dropped then return { 'dropped' } end
  local function hold(kind)
    redis.call('sadd', KEYS[2], ARGV[4])
    redis.call('expire', KEYS[2], ARGV[5])
    return { kind, redis.call('hget', KEYS[1], ARGV[1]), redis.call('scard', KEYS[2]) }
  end
  if redis.call('hexists', KEYS[1], ARGV[1]) == 1 then return hold('held') end
  for i = 5, #KEYS do
    local at = 6 + (i - 5) * 3
    redis.call('zremrangebyscore', KEYS[i], '-inf', ARGV[2] - ARGV[at])
    if redis.call('zcard', KEYS[i]) >= tonumber(ARGV[at + 1]) then
      redis.call('hset', KEYS[1], ARGV[1], ARGV[at + 2])
      return hold('newly_held')
    end
  end
  for i = 5, #KEYS do
    redis.call('zadd', KEYS[i], ARGV[2], ARGV[4])
    redis.call('pexpire', KEYS[i], ARGV[6 + (i - 5) * 3])
  end
  return { 'admitted' }
end
`;

const ADMIT = defineScript(`${ADMIT_LUA} return admit(KEYS, ARGV)`);

/** Lua: `remove_waiting(part)` removes a run that has ended from the waiting runs of its held rule. */
export const REMOVE_WAITING_LUA = `
local function remove_waiting(part)
  redis.call('srem', part[1], part[3])
  redis.call('srem', part[2], part[3])
end
`;

/** KEYS: waiting runs, runs behind earlier ones. ARGV: run. */
const REMOVE_WAITING = defineScript(`${REMOVE_WAITING_LUA} remove_waiting({ KEYS[1], KEYS[2], ARGV[1] })`);

/** Resets the limit that held the rule, and only that one. KEYS: held rules, waiting runs, started runs of the rule, started runs of all rules with a shared limit. ARGV: field. */
const RELEASE = defineScript(`
  local record = redis.call('hget', KEYS[1], ARGV[1])
  if not record then return 0 end
  redis.call('hdel', KEYS[1], ARGV[1])
  redis.call('del', KEYS[2], cjson.decode(record).shared and KEYS[4] or KEYS[3])
  return 1
`);

/** KEYS: held rules, waiting runs, time of the last drop, started runs of the rule. ARGV: field, now, TTL in seconds. */
const DROP = defineScript(`
  if redis.call('hdel', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('set', KEYS[3], ARGV[2], 'EX', ARGV[3])
  redis.call('del', KEYS[2], KEYS[4])
  return 1
`);

const admission = z.union([
  z.tuple([z.enum(['admitted', 'dropped'])]),
  z.tuple([z.enum(['held', 'newly_held']), z.string(), z.int()]),
]);

/** Reads what `admit` gave. */
export function admissionFrom(reply: unknown): Admission {
  const answer = admission.parse(reply);
  if (answer.length === 1) return { kind: answer[0] };
  const [kind, record, waiting] = answer;
  return { kind: 'held', held: heldRule.parse(JSON.parse(record)), isNew: kind === 'newly_held', waiting };
}

/**
 * The run limits in Redis, shared by all workers. The time of the last drop must outlive every run that was planned before and is
 * unfinished. A replay counts as planned anew, so dead letters do not matter.
 *
 * @param now - Epoch milliseconds.
 */
export function openRunLimits({ redis, prefix }: Shard, now: () => number = Date.now): RunLimits {
  const heldKey = `${prefix}:held`;
  const startedKey = (field: string): string => `${prefix}:run-limit:${field}`;
  const waitingKey = (field: string): string => `${prefix}:held-runs:${field}`;
  const behindKey = (field: string): string => `${prefix}:behind-earlier-runs:${field}`;
  const droppedKey = (field: string): string => `${prefix}:dropped:${field}`;
  // No rule has this id.
  const sharedField = (account: string): string => `${account}:*`;
  const fieldOf = (account: string, rule: string): string => `${account}:${rule}`;
  const partsOf = ({ account, rule, run, plannedAt, limits }: AdmissionRequest): AdmissionParts => {
    const field = fieldOf(account, rule);
    const at = now();
    const since = new Date(at).toISOString();
    const keys = [
      heldKey,
      waitingKey(field),
      droppedKey(field),
      behindKey(field),
      ...limits.map(({ shared }) => startedKey(shared ? sharedField(account) : field)),
    ];
    const perLimit = limits.flatMap(({ runs, windowMs, reason, shared }) => {
      // A release needs to know which limit to reset.
      const record: HeldRule & { shared: boolean } = { account, rule, since, reason, shared };
      return [windowMs, runs, JSON.stringify(record)];
    });
    return { keys, values: [field, at, plannedAt, run, UNFINISHED_TTL_S, ...perLimit] };
  };
  const waitingPart = (account: string, rule: string, run: string): [string, string, string] => {
    const field = fieldOf(account, rule);
    return [waitingKey(field), behindKey(field), run];
  };
  return {
    partsOf,
    waitingPart,
    admit: async (request) => {
      const { keys, values } = partsOf(request);
      return admissionFrom(await runScript(redis, ADMIT, keys, values));
    },
    addBehind: async (account, rule, run) => {
      const key = behindKey(fieldOf(account, rule));
      pipelineResults(await redis.pipeline().sadd(key, run).expire(key, UNFINISHED_TTL_S).exec());
    },
    removeWaiting: async (account, rule, id) => {
      const [waiting, behind, run] = waitingPart(account, rule, id);
      await runScript(redis, REMOVE_WAITING, [waiting, behind], [run]);
    },
    listHeld: async () => {
      const fields = Object.entries(await redis.hgetall(heldKey));
      return Promise.all(
        fields.map(async ([field, text]) => {
          const [asking, behind] = await Promise.all([
            redis.scard(waitingKey(field)),
            redis.scard(behindKey(field)),
          ]);
          const held = heldRule.parse(JSON.parse(text));
          return { ...held, waitingRuns: asking + behind, behindEarlierRuns: behind };
        }),
      );
    },
    release: async (account, rule) => {
      const field = fieldOf(account, rule);
      const keys = [heldKey, waitingKey(field), startedKey(field), startedKey(sharedField(account))];
      return (await runScript(redis, RELEASE, keys, [field])) === 1;
    },
    drop: async (account, rule) => {
      const field = fieldOf(account, rule);
      const keys = [heldKey, waitingKey(field), droppedKey(field), startedKey(field)];
      return (await runScript(redis, DROP, keys, [field, now(), UNFINISHED_TTL_S])) === 1;
    },
  };
}
