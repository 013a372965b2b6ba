import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';

/** How many runs may begin in a stretch of time. */
export interface RunLimit {
  readonly runs: number;
  readonly windowMs: number;
  /** Whether the runs of all rules of the account count that have such a ceiling, and not those of the rule alone. */
  readonly shared: boolean;
  /** What is said when it is reached. */
  readonly reason: string;
}

/** What became of a run that asks to begin. */
type Admission =
  /** It may. */
  | 'admitted'
  /** The ceiling was reached just now: the rule is held. */
  | 'holds'
  /** The rule is held already. */
  | 'held'
  /** Somebody dropped the runs that waited. */
  | 'dropped';

/** A rule that is held: its runs wait until a person lets them go or drops them. */
const heldRule = z.object({
  account: z.string(),
  rule: z.string(),
  since: z.string(),
  reason: z.string(),
});

/** A rule that is held. */
type HeldRule = z.output<typeof heldRule>;

/** A rule that is held, and how many of its runs wait. */
export interface HeldRuleWithCount extends HeldRule {
  readonly waitingRuns: number;
}

/** The ceilings of all rules, in Redis, so that they count over all workers. */
export interface RunLimits {
  /**
   * Asks for a run to begin. One that has been admitted is admitted again without counting twice.
   *
   * @param run - A name for the run, the same whenever it asks.
   * @param plannedAt - When the run was planned, in epoch milliseconds.
   */
  readonly admit: (run: {
    readonly account: string;
    readonly rule: string;
    readonly run: string;
    readonly plannedAt: number;
    /** All of them hold; the first that is reached holds the rule. */
    readonly ceilings: readonly RunLimit[];
  }) => Promise<Admission>;
  /** Takes a run that came to its end while its rule is held from those that wait. */
  readonly removeWaiting: (account: string, rule: string, run: string) => Promise<void>;
  readonly listHeld: () => Promise<HeldRuleWithCount[]>;
  /** Lets the runs of a rule go on. False when it is not held. */
  readonly release: (account: string, rule: string) => Promise<boolean>;
  /** Drops the runs that wait. False when the rule is not held. */
  readonly drop: (account: string, rule: string) => Promise<boolean>;
}

const HELD_KEY = `${KEY_PREFIX}:held`;
const DROPPED_TTL_S = 31 * 86_400;

/** KEYS: held rules, dropped, begun runs of each ceiling. ARGV: field, now, plannedAt, a name for this run; for each ceiling perMs, runs, record. */
const ADMIT = `
  local known = #KEYS > 2
  for i = 3, #KEYS do
    if not redis.call('zscore', KEYS[i], ARGV[4]) then known = false end
  end
  if known then return 'admitted' end
  local dropped = tonumber(redis.call('get', KEYS[2]) or '0')
  if tonumber(ARGV[3]) <= dropped then return 'dropped' end
  if redis.call('hexists', KEYS[1], ARGV[1]) == 1 then return 'held' end
  for i = 3, #KEYS do
    local at = 5 + (i - 3) * 3
    redis.call('zremrangebyscore', KEYS[i], '-inf', ARGV[2] - ARGV[at])
    if redis.call('zcard', KEYS[i]) >= tonumber(ARGV[at + 1]) then
      redis.call('hset', KEYS[1], ARGV[1], ARGV[at + 2])
      return 'holds'
    end
  end
  for i = 3, #KEYS do
    redis.call('zadd', KEYS[i], ARGV[2], ARGV[4])
    redis.call('pexpire', KEYS[i], ARGV[5 + (i - 3) * 3])
  end
  return 'admitted'
`;

/** Counts a run among those that wait, unless the rule was let go in the meantime. KEYS: held rules, waiting. ARGV: field, run, kept for s. */
const ADD_WAITING = `
  if redis.call('hexists', KEYS[1], ARGV[1]) == 1 then
    redis.call('sadd', KEYS[2], ARGV[2])
    redis.call('expire', KEYS[2], ARGV[3])
  end
`;

/** Begins to count anew what held the rule, and only that. KEYS: held rules, waiting, begun by the rule, begun by all that share. ARGV: field. */
const RELEASE = `
  local record = redis.call('hget', KEYS[1], ARGV[1])
  if not record then return 0 end
  redis.call('hdel', KEYS[1], ARGV[1])
  redis.call('del', KEYS[2], cjson.decode(record).shared and KEYS[4] or KEYS[3])
  return 1
`;

/** KEYS: held rules, waiting, dropped, begun by the rule. ARGV: field, now, seconds. */
const DROP = `
  if redis.call('hdel', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('set', KEYS[3], ARGV[2], 'EX', ARGV[3])
  redis.call('del', KEYS[2], KEYS[4])
  return 1
`;

const admission = z.enum(['admitted', 'holds', 'held', 'dropped']);

/** @param now - Epoch milliseconds. */
export function openRunLimits(redis: Redis, now: () => number = Date.now): RunLimits {
  const begunKey = (field: string): string => `${KEY_PREFIX}:begun:${field}`;
  const waitingKey = (field: string): string => `${KEY_PREFIX}:held-runs:${field}`;
  const droppedKey = (field: string): string => `${KEY_PREFIX}:dropped:${field}`;
  // No rule is called so.
  const sharedField = (account: string): string => `${account}:*`;
  const fieldOf = (account: string, rule: string): string => `${account}:${rule}`;
  return {
    admit: async ({ account, rule, run, plannedAt, ceilings }) => {
      const field = fieldOf(account, rule);
      const since = new Date(now()).toISOString();
      const keys = [
        HELD_KEY,
        droppedKey(field),
        ...ceilings.map(({ shared }) => begunKey(shared ? sharedField(account) : field)),
      ];
      const limits = ceilings.flatMap(({ runs, windowMs, reason, shared }) => {
        // Whether others share the ceiling tells a release what to count anew.
        const record: HeldRule & { shared: boolean } = { account, rule, since, reason, shared };
        return [windowMs, runs, JSON.stringify(record)];
      });
      const answer: unknown = await redis.eval(
        ADMIT,
        keys.length,
        ...keys,
        field,
        now(),
        plannedAt,
        run,
        ...limits,
      );
      const admitted = admission.parse(answer);
      if (admitted === 'held' || admitted === 'holds')
        await redis.eval(ADD_WAITING, 2, HELD_KEY, waitingKey(field), field, run, DROPPED_TTL_S);
      return admitted;
    },
    removeWaiting: async (account, rule, run) => {
      await redis.srem(waitingKey(fieldOf(account, rule)), run);
    },
    listHeld: async () => {
      const fields = Object.entries(await redis.hgetall(HELD_KEY));
      return Promise.all(
        fields.map(async ([field, text]) => ({
          ...heldRule.parse(JSON.parse(text)),
          waitingRuns: await redis.scard(waitingKey(field)),
        })),
      );
    },
    release: async (account, rule) => {
      const field = fieldOf(account, rule);
      const keys = [HELD_KEY, waitingKey(field), begunKey(field), begunKey(sharedField(account))];
      return (await redis.eval(RELEASE, keys.length, ...keys, field)) === 1;
    },
    drop: async (account, rule) => {
      const field = fieldOf(account, rule);
      const keys = [HELD_KEY, waitingKey(field), droppedKey(field), begunKey(field)];
      return (await redis.eval(DROP, keys.length, ...keys, field, now(), DROPPED_TTL_S)) === 1;
    },
  };
}
