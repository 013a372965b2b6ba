import { z } from 'zod';
import { ADD_JOB_LUA } from '../queues/add-job.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Script } from '../queues/script.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import type { Lane } from '../queues/jobs.js';
import { BACKLOG_LUA } from './backlog-script.js';

/** A job, as the backlog of its queue sees it. */
export interface BacklogJob {
  readonly id: string;
  readonly lane: Lane;
  readonly account: string;
  /** The name of the job: what takes turns within the bulk jobs of an account. The rule of a run; the type of an event. */
  readonly turn: string;
  /** When the job was added, in epoch milliseconds. Earlier jobs go first, also after a retry. */
  readonly at: number;
}

/**
 * The backlog of a queue: what keeps accounts, lanes and rules from waiting for each other.
 *
 * A window bounds how many jobs of an account are in flight. The other jobs wait in the backlog. A job in flight is in BullMQ's `wait`,
 * `prioritized` or `active`; a job in the backlog is in BullMQ's `delayed`.
 */
export interface Backlog {
  /**
   * Asks for an active job that was delayed before. `held`: the job is in the backlog, and BullMQ has it as delayed. `lost`: another worker
   * has the job.
   */
  readonly askAgain: (job: BacklogJob, token: string) => Promise<'in_flight' | 'held' | 'lost'>;
  /** Call it before BullMQ ends or delays a job that is in flight. Releases the next jobs. */
  readonly leave: (job: BacklogJob) => Promise<void>;
  /** For a script that does the same with {@link LEAVE_WINDOW_LUA}. */
  readonly placeOf: (job: BacklogJob) => ScriptPart;
  /**
   * Puts an active job back until its account answers. Meanwhile one job of the lane at a time finds out whether it does.
   *
   * @param until - When to ask the account next, in epoch milliseconds.
   */
  readonly park: (job: BacklogJob, token: string, until: number) => Promise<'parked' | 'lost'>;
  /** Moves a job that is delayed or in the backlog to the other lane. */
  readonly changeLane: (job: BacklogJob, lane: Lane) => Promise<void>;
  /**
   * Releases what a lost wake-up left behind, and frees the places of jobs that are no longer in flight. One process at a time does it.
   *
   * @returns How many places were freed.
   */
  readonly check: () => Promise<number>;
}

/** The keys of the scripts that use {@link BACKLOG_LUA}: the starts of the keys of the queue and of its backlog. */
export function backlogKeys({ prefix }: Shard, queue: string): [queue: string, backlog: string] {
  return [`${prefix}:${queue}:`, `${prefix}:backlog:${queue}`];
}

/** How often a process looks at the backlog: a hold of an account that has ended is noticed after this time. */
export const CHECK_INTERVAL_MS = 1000;
/** How often the windows are compared with the queue. */
const THOROUGH_INTERVAL_MS = 15_000;

/**
 * Lua: `leave_window(part)`, for a script that ends the job of {@link placePart}. Needs {@link ADD_JOB_LUA} and {@link BACKLOG_LUA}.
 */
export const LEAVE_WINDOW_LUA = `
local function leave_window(part)
  local job = { id = part[3], lane = part[4], account = part[5], turn = part[6], at = tonumber(part[7]) }
  leave_and_release(backlog_of(part[1], part[2]), job)
end
`;

/** The place of a job that is in flight, for {@link LEAVE_WINDOW_LUA}. */
function placePart(
  keys: readonly [queue: string, backlog: string],
  { id, lane, account, turn, at }: BacklogJob,
): ScriptPart {
  return [...keys, id, lane, account, turn, at];
}

/** KEYS: queue, backlog. ARGV: id, lane, account, turn, time; then what the script needs. */
const define = (body: string): Script =>
  defineScript(`${ADD_JOB_LUA}${BACKLOG_LUA}
    local b = backlog_of(KEYS[1], KEYS[2])
    local job = { id = ARGV[1], lane = ARGV[2], account = ARGV[3], turn = ARGV[4], at = tonumber(ARGV[5]) }
    ${body}`);

const ASK_AGAIN = define('return ask_again(b, job, ARGV[6])');
const LEAVE = define('leave_and_release(b, job)');
const PARK = define('return park(b, job, ARGV[6], tonumber(ARGV[7]))');
const CHANGE_LANE = define('change_lane(b, job, ARGV[6])');

/** KEYS: queue, backlog. ARGV: the interval and the thorough interval in milliseconds. */
const CHECK = defineScript(`${ADD_JOB_LUA}${BACKLOG_LUA}
  local b = backlog_of(KEYS[1], KEYS[2])
  -- The check after half the interval is that of another process.
  if not redis.call('set', b.root .. ':checked', '1', 'NX', 'PX', math.floor(ARGV[1] / 2)) then return 0 end
  local thoroughly = redis.call('set', b.root .. ':compared', '1', 'NX', 'PX', ARGV[2]) ~= false
  return check_backlog(b, thoroughly)
`);

/** Opens the backlog of a queue. */
export function openBacklog(shard: Shard, queue: string): Backlog {
  const keys = backlogKeys(shard, queue);
  const run = (
    script: Script,
    { id, lane, account, turn, at }: BacklogJob,
    ...values: (string | number)[]
  ): Promise<unknown> => runScript(shard.redis, script, keys, [id, lane, account, turn, at, ...values]);
  return {
    askAgain: async (job, token) => {
      const answer = z.int().parse(await run(ASK_AGAIN, job, token));
      if (answer === 1) return 'in_flight';
      return answer === 0 ? 'held' : 'lost';
    },
    leave: async (job) => {
      await run(LEAVE, job);
    },
    placeOf: (job) => placePart(keys, job),
    park: async (job, token, until) =>
      z.int().parse(await run(PARK, job, token, Math.ceil(until))) === 0 ? 'parked' : 'lost',
    changeLane: async (job, lane) => {
      await run(CHANGE_LANE, job, lane);
    },
    check: async () =>
      z.int().parse(await runScript(shard.redis, CHECK, keys, [CHECK_INTERVAL_MS, THOROUGH_INTERVAL_MS])),
  };
}
