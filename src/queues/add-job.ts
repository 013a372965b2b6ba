import type { JobsOptions, Queue } from 'bullmq';
import { BACKLOG_DELAY_MS } from './backlog-delay.js';
import { COLLECTED_WRITES_LUA } from './collected-writes.js';

/**
 * Lua functions that write jobs as BullMQ 6 does, for scripts that do more than add a job. A test compares every key with what `addBulk`
 * and `promote` of BullMQ write, so an upgrade that changes the format fails the test. Two things are left out: the stream in which BullMQ
 * tells what happens to jobs, because nobody reads it, and the marker that wakes a worker for a job in the backlog.
 *
 * - `open_queue(prefix)`: the queue whose keys start with `prefix` ({@link jobKeyPrefix}). Call it once per script.
 * - `collect_jobs(queue, writes)`: from now on `add_job` collects what it writes ({@link COLLECTED_WRITES_LUA}). Until `flush_jobs(queue)`, the
 *   script may only add jobs.
 * - `has_job(queue, id)`: whether the queue has a job, finished or not.
 * - `add_job(queue, id, name, data, options, timestamp, delay, priority)`: adds a job that the queue does not have. `data` and `options`
 *   ({@link storedJobOptions}) are JSON, `timestamp` is in epoch milliseconds. With a `delay` (milliseconds) above 0 the job becomes
 *   `delayed`; otherwise `prioritized` with a `priority` above 0, else `wait`.
 * - `delay_job(queue, id, due_at)`: makes a job delayed. `hold_job(queue, id, due_at)`: the same for the backlog, which BullMQ does not wake.
 * - `release_job(queue, id, priority)`: makes a delayed job due now. Reads the priority of the job when it is not given. Returns whether the
 *   job was delayed.
 *
 * Source: the scripts `addStandardJob`, `addPrioritizedJob`, `addDelayedJob` and `promote` of BullMQ 6.7.
 */
export const ADD_JOB_LUA = `${COLLECTED_WRITES_LUA}
local function open_queue(prefix)
  local meta = redis.call('HMGET', prefix .. 'meta', 'paused', 'concurrency')
  local is_full = meta[2] and redis.call('LLEN', prefix .. 'active') >= tonumber(meta[2])
  return {
    prefix = prefix, wait = prefix .. 'wait', prioritized = prefix .. 'prioritized', delayed = prefix .. 'delayed',
    marker = prefix .. 'marker', counter = prefix .. 'id', priority_counter = prefix .. 'pc',
    wakes_workers = not meta[1] and not is_full, latest = {}
  }
end

local function has_job(queue, id)
  return redis.call('EXISTS', queue.prefix .. id) == 1
end

local function make_job_due(queue, id, priority)
  if priority > 0 then
    local position = redis.call('INCR', queue.priority_counter) % 0x100000000
    redis.call('ZADD', queue.prioritized, priority * 0x100000000 + position, id)
  else
    collect(queue.writes, 'LPUSH', queue.wait, id)
  end
  -- Within a script, one marker wakes the workers.
  if queue.wakes_workers and not queue.has_marker then
    redis.call('ZADD', queue.marker, 0, '0')
    queue.has_marker = true
  end
end

local function wake_for_delayed(queue)
  local next_due = redis.call('ZRANGE', queue.delayed, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', queue.marker, tonumber(next_due) / 0x1000, '1')
end

local function delay_job(queue, id, due_at)
  -- A millisecond has 4096 positions, which keep the order of jobs that are due at the same time.
  local first, last = due_at * 0x1000, (due_at + 1) * 0x1000 - 1
  local latest = queue.latest[due_at]
    or redis.call('ZREVRANGEBYSCORE', queue.delayed, last, first, 'WITHSCORES', 'LIMIT', 0, 1)[2]
  local position = latest and math.min(tonumber(latest) + 1, last) or first
  collect(queue.writes, 'ZADD', queue.delayed, position, id)
  if queue.writes then queue.latest[due_at] = position else wake_for_delayed(queue) end
end

-- The backlog has its own order, and its own check instead of a marker.
local function hold_job(queue, id, due_at)
  collect(queue.writes, 'ZADD', queue.delayed, due_at * 0x1000, id)
end

local function add_job(queue, id, name, data, options, timestamp, delay, priority)
  count_up(queue.writes, queue.counter)
  redis.call('HMSET', queue.prefix .. id, 'name', name, 'data', data,
    'opts', string.sub(options, 1, -2) .. ',"jobId":' .. cjson.encode(id) .. '}',
    'timestamp', timestamp, 'delay', delay, 'priority', priority)
  if delay == 0 then make_job_due(queue, id, priority)
  elseif delay == ${BACKLOG_DELAY_MS} then hold_job(queue, id, tonumber(timestamp) + delay)
  else delay_job(queue, id, tonumber(timestamp) + delay) end
end

local function collect_jobs(queue, writes)
  queue.writes = writes
end

local function flush_jobs(queue)
  flush_writes(queue.writes)
  queue.writes = nil
  if next(queue.latest) then
    queue.latest = {}
    wake_for_delayed(queue)
  end
end

local function release_job(queue, id, priority)
  if redis.call('ZREM', queue.delayed, id) == 0 then return false end
  make_job_due(queue, id, priority or tonumber(redis.call('HGET', queue.prefix .. id, 'priority')) or 0)
  redis.call('HSET', queue.prefix .. id, 'delay', 0)
  return true
end
`;

/** What the keys of a queue start with: the argument of `open_queue`. */
export function jobKeyPrefix(queue: Queue): string {
  return queue.toKey('');
}

/** The options of a job as BullMQ stores them, except for the job id, which `add_job` adds: JSON. Jobs with the same options share them. */
export function storedJobOptions(
  queue: Queue,
  options: Pick<JobsOptions, 'delay' | 'priority'> = {},
): string {
  return JSON.stringify({ attempts: 0, ...queue.defaultJobOptions, ...options });
}
