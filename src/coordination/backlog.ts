import { z } from 'zod';
import { ADD_JOB_LUA } from '../queues/add-job.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Script } from '../queues/script.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import { priorityOf } from '../queues/jobs.js';
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
  readonly leave: (job: BacklogJob, token: string) => Promise<void>;
  /** For a script that does the same with {@link LEAVE_WINDOW_LUA}. */
  readonly placeOf: (job: BacklogJob, token: string) => ScriptPart;
  /**
   * Puts an active job back until its account answers. Meanwhile one job of the lane at a time finds out whether it does.
   *
   * @param until - When to ask the account next, in epoch milliseconds.
   */
  readonly park: (job: BacklogJob, token: string, until: number) => Promise<'parked' | 'lost'>;
  /**
   * Moves the bulk job of an event or a run to the interactive lane, if it is delayed or in the backlog. One that is in flight stays in its lane:
   * its worker saves its data.
   */
  readonly makeInteractive: (id: string) => Promise<void>;
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
  leave_and_release(backlog_of(part[1], part[2]), job, part[8])
end
`;

/** The place of a job that is in flight, for {@link LEAVE_WINDOW_LUA}. */
function placePart(
  keys: readonly [queue: string, backlog: string],
  { id, lane, account, turn, at }: BacklogJob,
  token: string,
): ScriptPart {
  return [...keys, id, lane, account, turn, at, token];
}

/** KEYS: queue, backlog. ARGV: id, lane, account, turn, time; then what the script needs. */
const define = (body: string): Script =>
  defineScript(`${ADD_JOB_LUA}${BACKLOG_LUA}
    local b = backlog_of(KEYS[1], KEYS[2])
    local job = { id = ARGV[1], lane = ARGV[2], account = ARGV[3], turn = ARGV[4], at = tonumber(ARGV[5]) }
    ${body}`);

const ASK_AGAIN = define('return ask_again(b, job, ARGV[6])');
const LEAVE = define('leave_and_release(b, job, ARGV[6])');
const PARK = define('return park(b, job, ARGV[6], tonumber(ARGV[7]))');
const MAKE_INTERACTIVE = define('return make_interactive(b, job, ARGV[6], ARGV[7])');

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
    leave: async (job, token) => {
      await run(LEAVE, job, token);
    },
    placeOf: (job, token) => placePart(keys, job, token),
    park: async (job, token, until) =>
      z.int().parse(await run(PARK, job, token, Math.ceil(until))) === 0 ? 'parked' : 'lost',
    makeInteractive: async (id) => {
      // A worker may change the data meanwhile, and what it saved must not be lost.
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const job = await bulkJob(shard, `${keys[0]}${id}`);
        if (job === undefined) return;
        const { data, changed, account, turn, at } = job;
        const inBacklog = { id, lane: 'bulk', account, turn, at } as const;
        if ((await run(MAKE_INTERACTIVE, inBacklog, data, changed)) === 1) return;
      }
    },
    check: async () =>
      z.int().parse(await runScript(shard.redis, CHECK, keys, [CHECK_INTERVAL_MS, THOROUGH_INTERVAL_MS])),
  };
}

/** More changes than this within a few milliseconds mean that the job is being processed. */
const MAX_TRIES = 3;

const dataInBulk = z.looseObject({ lane: z.literal('bulk'), event: z.looseObject({ account: z.string() }) });

/** A job of the bulk lane, with its data (JSON) as it is and as it is in the interactive lane. Undefined when the job is in that lane or gone. */
async function bulkJob({ redis }: Shard, key: string) {
  // Most jobs are not in bulk, and their data is long.
  if ((await redis.hget(key, 'priority')) !== String(priorityOf('bulk'))) return undefined;
  const [name, timestamp, data] = await redis.hmget(key, 'name', 'timestamp', 'data');
  if (typeof name !== 'string' || typeof data !== 'string') return undefined;
  const parsed = dataInBulk.safeParse(JSON.parse(data)).data;
  if (parsed === undefined) return undefined;
  const { lane: _lane, ...rest } = parsed;
  return {
    data,
    changed: JSON.stringify(rest),
    account: parsed.event.account,
    turn: name,
    at: Number(timestamp),
  };
}
