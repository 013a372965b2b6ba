import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';

/** How many runs may begin in a stretch of time. */
export interface Ceiling {
  readonly runs: number;
  readonly perMs: number;
  /** Whether the runs of all rules of the account count that have such a ceiling, and not those of the rule alone. */
  readonly shared: boolean;
  /** What is said when it is reached. */
  readonly reason: string;
}

/** What became of a run that asks to begin. */
export type Admission =
  /** It may. */
  | 'admitted'
  /** The ceiling was reached just now: the rule is held. */
  | 'holds'
  /** The rule is held already. */
  | 'held'
  /** Somebody dropped the runs that waited. */
  | 'dropped';

/** A rule that is held: its runs wait until a person lets them go or drops them. */
export const heldRule = z.object({
  account: z.string(),
  rule: z.string(),
  since: z.string(),
  reason: z.string(),
});

/** A rule that is held. */
export type HeldRule = z.output<typeof heldRule>;

/** The ceilings of all rules, in Redis, so that they count over all workers. */
export interface Ceilings {
  /**
   * Asks for a run to begin.
   *
   * @param plannedAt - When the run was planned, in epoch milliseconds.
   */
  readonly admit: (run: {
    readonly account: string;
    readonly rule: string;
    readonly plannedAt: number;
    /** All of them hold; the first that is reached holds the rule. */
    readonly ceilings: readonly Ceiling[];
  }) => Promise<Admission>;
  readonly held: () => Promise<HeldRule[]>;
  /** Lets the runs of a rule go on. False when it is not held. */
  readonly release: (account: string, rule: string) => Promise<boolean>;
  /** Drops the runs that wait. False when the rule is not held. */
  readonly drop: (account: string, rule: string) => Promise<boolean>;
}

const HELD_KEY = `${KEY_PREFIX}:held`;
const DROPPED_KEPT_S = 31 * 86_400;

/** KEYS: held rules, dropped, begun runs of each ceiling. ARGV: field, now, plannedAt, a name for this run; for each ceiling perMs, runs, record. */
const ADMIT = `
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

const admission = z.enum(['admitted', 'holds', 'held', 'dropped']);

/** @param now - Epoch milliseconds. */
export function openCeilings(redis: Redis, now: () => number = Date.now): Ceilings {
  const begunKey = (field: string): string => `${KEY_PREFIX}:begun:${field}`;
  const droppedKey = (field: string): string => `${KEY_PREFIX}:dropped:${field}`;
  // No rule is called so.
  const sharedField = (account: string): string => `${account}:*`;
  const fieldOf = (account: string, rule: string): string => `${account}:${rule}`;
  let counter = 0;
  return {
    admit: async ({ account, rule, plannedAt, ceilings }) => {
      const field = fieldOf(account, rule);
      const since = new Date(now()).toISOString();
      counter += 1;
      const keys = [
        HELD_KEY,
        droppedKey(field),
        ...ceilings.map(({ shared }) => begunKey(shared ? sharedField(account) : field)),
      ];
      const limits = ceilings.flatMap(({ runs, perMs, reason }) => {
        const record: HeldRule = { account, rule, since, reason };
        return [perMs, runs, JSON.stringify(record)];
      });
      const name = `${now()}:${process.pid}:${counter}`;
      const answer: unknown = await redis.eval(
        ADMIT,
        keys.length,
        ...keys,
        field,
        now(),
        plannedAt,
        name,
        ...limits,
      );
      return admission.parse(answer);
    },
    held: async () => {
      const fields = await redis.hgetall(HELD_KEY);
      return Object.values(fields).map((text) => heldRule.parse(JSON.parse(text)));
    },
    release: async (account, rule) => {
      const field = fieldOf(account, rule);
      await redis.del(begunKey(field), begunKey(sharedField(account)));
      return (await redis.hdel(HELD_KEY, field)) === 1;
    },
    drop: async (account, rule) => {
      const field = fieldOf(account, rule);
      if ((await redis.hexists(HELD_KEY, field)) === 0) return false;
      await redis.set(droppedKey(field), String(now()), 'EX', DROPPED_KEPT_S);
      await redis.del(begunKey(field));
      return (await redis.hdel(HELD_KEY, field)) === 1;
    },
  };
}
