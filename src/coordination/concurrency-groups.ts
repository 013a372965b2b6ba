import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';
import { RUNS } from '../queues/queues.js';
import { addInArrivalOrder } from './arrival-order.js';

/** How runs with the same key stand to each other. */
export type ConcurrencyMode = 'queued' | 'single' | 'restart';

/** A run that wants to go on. */
export interface SlotRequest {
  /** What runs of the same key share: account, rule and key. */
  readonly group: string;
  readonly run: string;
  /** When the event happened, in epoch milliseconds: the earlier goes first. */
  readonly at: number;
  readonly mode: ConcurrencyMode;
}

/** Whether a run may go on. */
export type SlotResult =
  | {
      readonly kind: 'go';
      /** The run whose place it took. */
      readonly replaced: string | undefined;
    }
  /** Another goes first. */
  | {
      readonly kind: 'wait';
      readonly behind: string;
      /** How many stand before it. */
      readonly place: number;
    }
  /** Another is under way that does not let it in. */
  | { readonly kind: 'skip'; readonly because: string };

/** The lines that runs stand in, in Redis, so that they hold over all workers. */
export interface ConcurrencyGroups {
  /** Joins the line, before the run is in its queue: one that joined later then knows of it. */
  readonly join: (line: string, run: string, at: number) => Promise<void>;
  readonly request: (request: SlotRequest) => Promise<SlotResult>;
  /** Whether it is still the run's turn: a newer one may have taken its place. */
  readonly holdsSlot: (line: string, run: string) => Promise<boolean>;
  /** Takes a run out that will never leave by itself. One that has begun in the meantime stays. */
  readonly remove: (line: string, run: string) => Promise<void>;
  /** Leaves the line. Gives the run whose turn it is now, if nobody has it. */
  readonly leave: (line: string, run: string) => Promise<string | undefined>;
}

/** Longer than a run can wait. */
const GROUP_TTL_S = 120 * 86_400;

/** KEYS: line, holder, superseded runs, time of the latest. ARGV: run, at, mode, kept for s. */
const REQUEST_SLOT = `
  local holder = redis.call('get', KEYS[2])
  if redis.call('sismember', KEYS[3], ARGV[1]) == 1 then return { 'skip', holder or '' } end
  redis.call('zadd', KEYS[1], 'NX', ARGV[2], ARGV[1])
  redis.call('expire', KEYS[1], ARGV[4])
  if holder == ARGV[1] then
    redis.call('expire', KEYS[2], ARGV[4])
    return { 'go', '' }
  end
  if ARGV[3] == 'single' and holder then
    redis.call('zrem', KEYS[1], ARGV[1])
    return { 'skip', holder }
  end
  if ARGV[3] == 'restart' then
    local latest = redis.call('get', KEYS[4])
    if latest and tonumber(latest) > tonumber(ARGV[2]) then
      redis.call('zrem', KEYS[1], ARGV[1])
      return { 'skip', holder or '' }
    end
    redis.call('set', KEYS[4], ARGV[2], 'EX', ARGV[4])
    if holder then
      redis.call('zrem', KEYS[1], holder)
      redis.call('sadd', KEYS[3], holder)
      redis.call('expire', KEYS[3], ARGV[4])
    end
  end
  if ARGV[3] == 'queued' then
    local place = redis.call('zrank', KEYS[1], ARGV[1])
    if holder then return { 'wait', holder, tostring(place) } end
    local first = redis.call('zrange', KEYS[1], 0, 0)[1]
    if first ~= ARGV[1] then return { 'wait', first, tostring(place) } end
  end
  redis.call('set', KEYS[2], ARGV[1], 'EX', ARGV[4])
  return { 'go', holder or '' }
`;

/** Takes out a run that is over or was removed, unless it has begun since it was looked at. KEYS: line, holder, its job. ARGV: run. */
const REMOVE = `
  local job = redis.call('hmget', KEYS[3], 'finishedOn', 'data')
  if job[2] and not job[1] then return end
  redis.call('zrem', KEYS[1], ARGV[1])
  if redis.call('get', KEYS[2]) == ARGV[1] then redis.call('del', KEYS[2]) end
`;

/** Nobody is next while another has the turn. KEYS: line, holder. ARGV: run. */
const LEAVE = `
  redis.call('zrem', KEYS[1], ARGV[1])
  local holder = redis.call('get', KEYS[2])
  if holder == ARGV[1] then redis.call('del', KEYS[2]) elseif holder then return '' end
  return redis.call('zrange', KEYS[1], 0, 0)[1] or ''
`;

const answer = z.tuple([z.enum(['go', 'wait', 'skip']), z.string()]).rest(z.coerce.number());

/** The lines that runs stand in, in Redis. */
export function openConcurrencyGroups(redis: Redis): ConcurrencyGroups {
  const lineKey = (line: string): string => `${KEY_PREFIX}:line:${line}`;
  const supersededKey = (line: string): string => `${KEY_PREFIX}:superseded:${line}`;
  const holderKey = (line: string): string => `${KEY_PREFIX}:turn:${line}`;
  const latestKey = (line: string): string => `${KEY_PREFIX}:latest:${line}`;
  return {
    join: async (line, run, at) => {
      await redis.eval(
        ...addInArrivalOrder('line', { to: lineKey(line), member: run, at, keptS: GROUP_TTL_S }),
      );
    },
    request: async ({ group, run, at, mode }) => {
      const given: unknown = await redis.eval(
        REQUEST_SLOT,
        4,
        lineKey(group),
        holderKey(group),
        supersededKey(group),
        latestKey(group),
        ...[run, at, mode, GROUP_TTL_S],
      );
      const [kind, other, place = 0] = answer.parse(given);
      if (kind === 'go') return { kind, replaced: other === '' ? undefined : other };
      return kind === 'wait' ? { kind, behind: other, place } : { kind, because: other };
    },
    holdsSlot: async (line, run) => (await redis.get(holderKey(line))) === run,
    remove: async (line, run) => {
      const job = `${KEY_PREFIX}:${RUNS}:${run}`;
      await redis.eval(REMOVE, 3, lineKey(line), holderKey(line), job, run);
    },
    leave: async (line, run) => {
      const next = z.string().parse(await redis.eval(LEAVE, 2, lineKey(line), holderKey(line), run));
      return next === '' ? undefined : next;
    },
  };
}
