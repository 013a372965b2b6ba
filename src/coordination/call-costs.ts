import { z } from 'zod';
import type { Event } from '../events/envelope.js';
import { DAY_S } from '../queues/retention.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard, Shards } from '../queues/shards.js';

/** The kinds of jobs whose API calls are counted. */
export type CostlyQueue = 'events' | 'runs';

/** An attempt at a job that has ended. */
export interface CostlyAttempt {
  readonly account: string;
  readonly queue: CostlyQueue;
  /** {@link costNameOf} of an event; the rule of a run. */
  readonly name: string;
  /** How many API calls the attempt has sent. */
  readonly calls: number;
  /** Whether the job has finished with this attempt. */
  readonly isFinished: boolean;
}

/** What finished jobs of one kind took. */
export interface CallCost {
  readonly calls: number;
  readonly jobs: number;
}

/** What finished jobs of an account took, by kind. */
export type CallCostsOfAccount = ReadonlyMap<string, CallCost>;

/** Under which name the calls of an event are counted: the rule's own for the events of a schedule, one for all others. */
export function costNameOf({ source, type }: Pick<Event, 'source' | 'type'>): string {
  return source === 'schedule' ? type : '*';
}

/** The key of a kind of jobs in {@link CallCostsOfAccount}. */
export function costKey(queue: CostlyQueue, name: string): string {
  return `${queue}:${name}`;
}

/** Counts the API calls of jobs, for estimates of how long waiting jobs take. */
export interface CallCosts {
  readonly note: (attempt: CostlyAttempt) => void;
  /** Writes what was noted since the last time. */
  readonly flush: () => Promise<void>;
}

/** A rule that has not run for this long may cost something else by now. */
const TTL_S = 30 * DAY_S;
/** Beyond this many jobs, both numbers are halved: later jobs count more. */
const MAX_JOBS = 1000;

/** KEYS: costs of an account. ARGV: TTL, most jobs, then per kind: key, calls, jobs. */
const ADD = defineScript(`
  for i = 3, #ARGV, 3 do
    local calls = redis.call('hincrby', KEYS[1], ARGV[i] .. ':calls', ARGV[i + 1])
    local jobs = redis.call('hincrby', KEYS[1], ARGV[i] .. ':jobs', ARGV[i + 2])
    if jobs > tonumber(ARGV[2]) then
      redis.call('hset', KEYS[1], ARGV[i] .. ':calls', math.floor(calls / 2), ARGV[i] .. ':jobs', math.floor(jobs / 2))
    end
  end
  redis.call('expire', KEYS[1], ARGV[1])
`);

const costsKey = ({ prefix }: Shard, account: string): string => `${prefix}:call-costs:${account}`;

/** Opens the counts of this process. They are in memory until they are flushed. */
export function openCallCosts(shards: Shards): CallCosts {
  let noted = new Map<string, Map<string, { calls: number; jobs: number }>>();
  const add = (account: string, key: string, { calls, jobs }: CallCost): void => {
    const ofAccount = noted.get(account) ?? new Map<string, { calls: number; jobs: number }>();
    noted.set(account, ofAccount);
    const before = ofAccount.get(key) ?? { calls: 0, jobs: 0 };
    ofAccount.set(key, { calls: before.calls + calls, jobs: before.jobs + jobs });
  };
  return {
    note: ({ account, queue, name, calls, isFinished }) => {
      if (calls > 0 || isFinished) add(account, costKey(queue, name), { calls, jobs: isFinished ? 1 : 0 });
    },
    flush: async () => {
      const pending = noted;
      noted = new Map();
      await Promise.all(
        [...pending].map(async ([account, kinds]) => {
          const values = [...kinds].flatMap(([key, { calls, jobs }]) => [key, calls, jobs]);
          const shard = shards.of(account);
          try {
            await runScript(shard.redis, ADD, [costsKey(shard, account)], [TTL_S, MAX_JOBS, ...values]);
          } catch (error) {
            for (const [key, cost] of kinds) add(account, key, cost);
            throw error;
          }
        }),
      );
    },
  };
}

/** Reads what finished jobs of an account took. */
export async function readCallCosts(shard: Shard, account: string): Promise<CallCostsOfAccount> {
  const fields = new Map(Object.entries(await shard.redis.hgetall(costsKey(shard, account))));
  const costs = new Map<string, CallCost>();
  for (const [field, jobs] of fields) {
    if (!field.endsWith(':jobs')) continue;
    const key = field.slice(0, -':jobs'.length);
    costs.set(key, {
      calls: z.coerce.number().parse(fields.get(`${key}:calls`) ?? '0'),
      jobs: z.coerce.number().parse(jobs),
    });
  }
  return costs;
}
