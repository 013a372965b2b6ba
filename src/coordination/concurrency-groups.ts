import { defineScript, runScript } from '../queues/script.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { RUNS } from '../queues/queues.js';
import { replayTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';
import { addInArrivalOrder } from './arrival-order.js';

/** What a run does while another run of its group has the slot: wait, be skipped, or take the slot over. */
export type ConcurrencyMode = 'queued' | 'single' | 'restart';

/** A run that asks for the slot of its group. */
export interface SlotRequest {
  /** Identifies the group: account, rule and key. */
  readonly group: string;
  readonly run: string;
  /** When the event happened, in epoch milliseconds. Earlier events go first. */
  readonly at: number;
  readonly mode: ConcurrencyMode;
}

/** The answer to a {@link SlotRequest}. */
export type SlotResult =
  | {
      readonly kind: 'acquired';
      /** The run that lost the slot to this one. */
      readonly superseded: string | undefined;
    }
  | {
      readonly kind: 'waiting';
      /** The run that goes first. */
      readonly behind: string;
      /** How many runs of the group go before this one. */
      readonly position: number;
    }
  | {
      readonly kind: 'skipped';
      /** The run that has the slot; empty when it has released the slot since. */
      readonly because: string;
    };

/** Concurrency groups: of the runs in a group, one at a time has the slot. */
export interface ConcurrencyGroups {
  /** Adds a run to its group, as the script that enqueues runs does it. */
  readonly join: (group: string, run: string, at: number) => Promise<void>;
  /** Where the runs of a group are. A run is there before it is in the queue, so that a later run of the group knows about it. */
  readonly members: (group: string) => { readonly key: string; readonly ttlS: number };
  readonly requestSlot: (request: SlotRequest) => Promise<SlotResult>;
  /** For `request_slot`: its keys, then its values. */
  readonly slotPart: (request: SlotRequest) => ScriptPart;
  /** Whether a run still has the slot: a newer run may have taken it over. */
  readonly holdsSlot: (group: string, run: string) => Promise<boolean>;
  /** Removes a run whose job has finished or is gone. Does nothing when the job exists and has not finished. */
  readonly removeFinished: (group: string, run: string) => Promise<void>;
  /** Removes a run and releases its slot. Returns the next run of the group, unless another one has the slot. */
  readonly leave: (group: string, run: string) => Promise<string | undefined>;
  /** For `leave_group`: its keys, then its value. */
  readonly leavePart: (group: string, run: string) => ScriptPart;
}

/** Lua: `request_slot(KEYS, ARGV)`. KEYS: runs, slot, superseded runs, latest time. ARGV: run, time, mode, TTL in seconds. */
export const REQUEST_SLOT_LUA = `
local function request_slot(KEYS, ARGV)
  local holder = redis.call('get', KEYS[2])
  if redis.call('sismember', KEYS[3], ARGV[1]) == 1 then return { 'skipped', holder or '' } end
  redis.call('zadd', KEYS[1], 'NX', ARGV[2], ARGV[1])
  redis.call('expire', KEYS[1], ARGV[4])
  if holder == ARGV[1] then
    redis.call('expire', KEYS[2], ARGV[4])
    return { 'acquired', '' }
  end
  if ARGV[3] == 'single' and holder then
    redis.call('zrem', KEYS[1], ARGV[1])
    return { 'skipped', holder }
  end
  if ARGV[3] == 'restart' then
    local latest = redis.call('get', KEYS[4])
    if latest and tonumber(latest) > tonumber(ARGV[2]) then
      redis.call('zrem', KEYS[1], ARGV[1])
      return { 'skipped', holder or '' }
    end
    redis.call('set', KEYS[4], ARGV[2], 'EX', ARGV[4])
    if holder then
      redis.call('zrem', KEYS[1], holder)
      redis.call('sadd', KEYS[3], holder)
      redis.call('expire', KEYS[3], ARGV[4])
    end
  end
  if ARGV[3] == 'queued' then
    local position = redis.call('zrank', KEYS[1], ARGV[1])
    if holder then return { 'waiting', holder, tostring(position) } end
    local first = redis.call('zrange', KEYS[1], 0, 0)[1]
    if first ~= ARGV[1] then return { 'waiting', first, tostring(position) } end
  end
  redis.call('set', KEYS[2], ARGV[1], 'EX', ARGV[4])
  return { 'acquired', holder or '' }
end
`;

const REQUEST_SLOT = defineScript(`${REQUEST_SLOT_LUA} return request_slot(KEYS, ARGV)`);

/** Checks the job again, because the run may have started since its state was read. KEYS: runs, slot, job of the run. ARGV: run. */
const REMOVE_FINISHED = defineScript(`
  local job = redis.call('hmget', KEYS[3], 'finishedOn', 'data')
  if job[2] and not job[1] then return end
  redis.call('zrem', KEYS[1], ARGV[1])
  if redis.call('get', KEYS[2]) == ARGV[1] then redis.call('del', KEYS[2]) end
`);

/** Lua: `leave_group(KEYS, ARGV)` returns the next run, or an empty text. KEYS: runs, slot. ARGV: run. */
export const LEAVE_GROUP_LUA = `
local function leave_group(KEYS, ARGV)
  redis.call('zrem', KEYS[1], ARGV[1])
  local holder = redis.call('get', KEYS[2])
  if holder == ARGV[1] then redis.call('del', KEYS[2]) elseif holder then return '' end
  return redis.call('zrange', KEYS[1], 0, 0)[1] or ''
end
`;

const LEAVE = defineScript(`${LEAVE_GROUP_LUA} return leave_group(KEYS, ARGV)`);

const slotResult = z.tuple([z.enum(['acquired', 'waiting', 'skipped']), z.string()]).rest(z.coerce.number());

/**
 * The concurrency groups in Redis, shared by all workers. The state of a group outlives the dead letters of its runs
 * ({@link replayTtlS}): a replayed run must still know that a later one has superseded it.
 */
export function openConcurrencyGroups({ redis, prefix }: Shard, retention: RetentionDays): ConcurrencyGroups {
  const ttlS = replayTtlS(retention);
  const runsKey = (group: string): string => `${prefix}:group:${group}:runs`;
  const slotKey = (group: string): string => `${prefix}:group:${group}:slot`;
  const supersededKey = (group: string): string => `${prefix}:group:${group}:superseded`;
  const latestKey = (group: string): string => `${prefix}:group:${group}:latest`;
  const slotKeys = (group: string): string[] => [
    runsKey(group),
    slotKey(group),
    supersededKey(group),
    latestKey(group),
  ];
  return {
    members: (group) => ({ key: runsKey(group), ttlS }),
    join: async (group, run, at) => {
      await addInArrivalOrder({ redis, prefix }, 'group', [{ to: runsKey(group), member: run, at, ttlS }]);
    },
    slotPart: ({ group, run, at, mode }) => [...slotKeys(group), run, at, mode, ttlS],
    leavePart: (group, run) => [runsKey(group), slotKey(group), run],
    requestSlot: async ({ group, run, at, mode }) => {
      const result: unknown = await runScript(redis, REQUEST_SLOT, slotKeys(group), [run, at, mode, ttlS]);
      const [kind, other, position = 0] = slotResult.parse(result);
      switch (kind) {
        case 'acquired':
          return { kind, superseded: other === '' ? undefined : other };
        case 'waiting':
          return { kind, behind: other, position };
        case 'skipped':
          return { kind, because: other };
      }
    },
    holdsSlot: async (group, run) => (await redis.get(slotKey(group))) === run,
    removeFinished: async (group, run) => {
      const job = `${prefix}:${RUNS}:${run}`;
      await runScript(redis, REMOVE_FINISHED, [runsKey(group), slotKey(group), job], [run]);
    },
    leave: async (group, run) => {
      const next = z.string().parse(await runScript(redis, LEAVE, [runsKey(group), slotKey(group)], [run]));
      return next === '' ? undefined : next;
    },
  };
}
