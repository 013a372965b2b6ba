import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';

/** How many runs may begin in a stretch of time. */
export interface Ceiling {
  readonly runs: number;
  readonly perMs: number;
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
    readonly ceiling: Ceiling;
    readonly reason: string;
  }) => Promise<Admission>;
  readonly held: () => Promise<HeldRule[]>;
  /** Lets the runs of a rule go on. False when it is not held. */
  readonly release: (account: string, rule: string) => Promise<boolean>;
  /** Drops the runs that wait. False when the rule is not held. */
  readonly drop: (account: string, rule: string) => Promise<boolean>;
}

const HELD_KEY = `${KEY_PREFIX}:held`;
const DROPPED_KEPT_S = 31 * 86_400;

/** KEYS: held rules, begun runs, dropped. ARGV: field, now, perMs, runs, plannedAt, record, a name for this run. */
const ADMIT = `
  local dropped = tonumber(redis.call('get', KEYS[3]) or '0')
  if tonumber(ARGV[5]) <= dropped then return 'dropped' end
  if redis.call('hexists', KEYS[1], ARGV[1]) == 1 then return 'held' end
  redis.call('zremrangebyscore', KEYS[2], '-inf', ARGV[2] - ARGV[3])
  if redis.call('zcard', KEYS[2]) >= tonumber(ARGV[4]) then
    redis.call('hset', KEYS[1], ARGV[1], ARGV[6])
    return 'holds'
  end
  redis.call('zadd', KEYS[2], ARGV[2], ARGV[7])
  redis.call('pexpire', KEYS[2], ARGV[3])
  return 'admitted'
`;

const admission = z.enum(['admitted', 'holds', 'held', 'dropped']);

/** @param now - Epoch milliseconds. */
export function openCeilings(redis: Redis, now: () => number = Date.now): Ceilings {
  const begunKey = (field: string): string => `${KEY_PREFIX}:begun:${field}`;
  const droppedKey = (field: string): string => `${KEY_PREFIX}:dropped:${field}`;
  const fieldOf = (account: string, rule: string): string => `${account}:${rule}`;
  let counter = 0;
  return {
    admit: async ({ account, rule, plannedAt, ceiling, reason }) => {
      const field = fieldOf(account, rule);
      const record: HeldRule = { account, rule, since: new Date(now()).toISOString(), reason };
      counter += 1;
      const answer: unknown = await redis.eval(
        ADMIT,
        3,
        HELD_KEY,
        begunKey(field),
        droppedKey(field),
        ...[field, now(), ceiling.perMs, ceiling.runs, plannedAt, JSON.stringify(record)],
        `${now()}:${process.pid}:${counter}`,
      );
      return admission.parse(answer);
    },
    held: async () => {
      const fields = await redis.hgetall(HELD_KEY);
      return Object.values(fields).map((text) => heldRule.parse(JSON.parse(text)));
    },
    release: async (account, rule) => {
      const field = fieldOf(account, rule);
      await redis.del(begunKey(field));
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
