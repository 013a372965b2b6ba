import { BACKLOG_DELAY_MS } from '../queues/backlog-delay.js';

/** How many jobs may be in flight. A job of a slow API holds a place for seconds, so the windows must not be too small. */
export const WINDOWS = {
  /** Interactive jobs of an account. */
  interactive: 24,
  /** Interactive jobs of an account while many accounts have a backlog. */
  leastInteractive: 4,
  /** Interactive jobs that accounts with a backlog share. */
  sharedInteractive: 256,
  /** Bulk jobs of an account. */
  bulk: 8,
  /** Bulk jobs of all accounts of a shard. */
  allBulk: 64,
};

/** How long an account stays on probation after its hold: one job at a time, until one ends well. */
const PROBATION_MS = 60 * 60 * 1000;

/** This many jobs that arrive in one millisecond keep their order. */
const ARRIVALS_PER_MILLISECOND = 2048;

/**
 * Lua functions for scripts that add jobs, or end them. They decide which jobs are in flight (in BullMQ's `wait`, `prioritized` or
 * `active`) and which wait in the backlog (in BullMQ's `delayed`, due in {@link BACKLOG_DELAY_MS}).
 *
 * They need {@link ADD_JOB_LUA} before them. All take `b`, which `backlog_of(prefix, root, queue)` returns for the start of the keys of a BullMQ
 * queue (`mdm-reflex:runs:`) and of its backlog (`mdm-reflex:backlog:runs`), and for the opened queue, if it is open, and `job`: a table of `id`, `lane` (`interactive` or `bulk`),
 * `account`, `turn` (the name of the job: what takes turns within an account) and `at` (when the job was added, in epoch milliseconds).
 *
 * - `release_or_hold(b, job, writes)`: for a new job. Returns the delay for `add_job`: 0 when the job is in flight, otherwise that of the backlog.
 *   With `writes` (`COLLECTED_WRITES_LUA`), the script may only call this function until it flushes them.
 * - `ask_again(b, job, token)`: for an active job that was delayed before. Returns 1 when it is in flight, 0 when it is in the backlog,
 *   -1 when another worker has the job.
 * - `leave_and_release(b, job, token)`: for an active job that ends or is delayed. Call it before BullMQ moves the job.
 * - `park(b, job, token, until_ms)`: for an active job that found its account unavailable: puts it back until the account answers, or until
 *   its own time has come, of which `check_backlog` starts a few. Returns 0, or -1 when another worker has the job.
 * - `put_back(b, job)`: for a job that is in none of BullMQ's states: puts it in flight or into the backlog.
 * - `make_interactive(b, job, data, changed)`: for a bulk job that is delayed. Replaces its data. Returns 1, or 0 when the job is not delayed
 *   or its data is not `data`.
 * - `check_backlog(b, thoroughly)`: heals the windows. Returns how many places were freed.
 *
 * The keys of a backlog are in the shard of its queue, so a cluster runs these scripts.
 */
export const BACKLOG_LUA = `
local function backlog_of(prefix, root, queue)
  local time = redis.call('time')
  return { prefix = prefix, root = root, queue = queue, now = time[1] * 1000 + math.floor(time[2] / 1000) }
end

local function queue_of(b)
  b.queue = b.queue or open_queue(b.prefix)
  return b.queue
end

local function backlog_key(b, name, lane, account)
  return b.root .. ':' .. name .. ':' .. lane .. ':' .. account
end

local function waiting_key(b, job)
  local key = backlog_key(b, 'waiting', job.lane, job.account)
  return job.lane == 'bulk' and key .. ':' .. job.turn or key
end

local function next_turn(b)
  return redis.call('incr', b.root .. ':turn')
end

-- Until when the account is held; nil when it is not.
local function held_until_of(b, lane, account)
  local key = backlog_key(b, 'held', lane, account)
  b.held = b.held or {}
  if b.held[key] == nil then b.held[key] = redis.call('get', key) end
  return tonumber(b.held[key] or nil)
end

local function set_held(b, lane, account, until_ms)
  local key = backlog_key(b, 'held', lane, account)
  if until_ms then redis.call('set', key, until_ms, 'PX', math.max(until_ms - b.now, 0) + ${PROBATION_MS})
  else redis.call('del', key) end
  b.held = nil
end

-- How many more jobs of an account may be in flight. A negative number counts as none.
local function room_of(b, lane, account)
  local in_flight = redis.call('scard', backlog_key(b, 'in-flight', lane, account))
  -- One job finds out whether the account answers again.
  if held_until_of(b, lane, account) then return 1 - in_flight end
  if lane == 'bulk' then
    local room = ${WINDOWS.bulk} - in_flight
    return room > 0 and math.min(room, ${WINDOWS.allBulk} - redis.call('scard', b.root .. ':in-flight:bulk')) or room
  end
  local sharing = 1 + redis.call('zcard', b.root .. ':accounts:interactive')
  return math.max(${WINDOWS.leastInteractive}, math.min(${WINDOWS.interactive}, math.floor(${WINDOWS.sharedInteractive} / sharing))) - in_flight
end

local function has_room(b, lane, account)
  return room_of(b, lane, account) > 0
end

local function put_in_flight(b, lane, account, id)
  redis.call('sadd', backlog_key(b, 'in-flight', lane, account), id)
  if lane == 'bulk' then redis.call('sadd', b.root .. ':in-flight:bulk', id) end
end

local function take_from_flight(b, lane, account, id)
  redis.call('srem', backlog_key(b, 'in-flight', lane, account), id)
  if lane == 'bulk' then redis.call('srem', b.root .. ':in-flight:bulk', id) end
end

local function add_account(b, lane, account)
  local accounts = b.root .. ':accounts:' .. lane
  if not redis.call('zscore', accounts, account) then redis.call('zadd', accounts, next_turn(b), account) end
end

local function put_in_backlog(b, job, writes)
  local arrival = count_up(writes, b.root .. ':arrivals') % ${ARRIVALS_PER_MILLISECOND}
  local key = waiting_key(b, job)
  local score = job.at + arrival / ${ARRIVALS_PER_MILLISECOND}
  if not writes then
    redis.call('zadd', key, 'NX', score, job.id)
  else
    -- A job that is new is not in the backlog.
    collect(writes, 'zadd', key, score, job.id)
    if writes.once[key] then return end
    writes.once[key] = true
  end
  if job.lane == 'bulk' then
    local turns = backlog_key(b, 'turns', 'bulk', job.account)
    if not redis.call('zscore', turns, job.turn) then redis.call('zadd', turns, next_turn(b), job.turn) end
  end
  add_account(b, job.lane, job.account)
end

-- A job that BullMQ started by itself must not be started once more. Returns whether the job was in the backlog.
local function take_from_backlog(b, job)
  local waiting = redis.call('zrem', waiting_key(b, job), job.id)
  return waiting + redis.call('zrem', backlog_key(b, 'parked', job.lane, job.account), job.id) > 0
end

local function hold_in_backlog(b, id)
  redis.call('hset', b.prefix .. id, 'delay', ${BACKLOG_DELAY_MS})
  hold_job(queue_of(b), id, b.now + ${BACKLOG_DELAY_MS})
end

local function has_backlog(b, lane, account)
  return redis.call('zscore', b.root .. ':accounts:' .. lane, account) ~= false
end

local function release_or_hold(b, job, writes)
  -- Within a script, an account that has a backlog keeps it.
  local full = job.lane .. ':' .. job.account
  local is_full = writes and writes.once[full]
  if not is_full and not has_backlog(b, job.lane, job.account) and has_room(b, job.lane, job.account) then
    put_in_flight(b, job.lane, job.account, job.id)
    return 0
  end
  if writes then writes.once[full] = true end
  put_in_backlog(b, job, writes)
  return ${BACKLOG_DELAY_MS}
end

local function start_first_of(b, key, priority)
  while true do
    local first = redis.call('zpopmin', key)
    if not first[1] then return nil end
    -- A job that BullMQ does not delay was removed, or runs already.
    if release_job(queue_of(b), first[1], priority) then return first[1] end
  end
end

local function start_next_turn(b, account)
  local turns = backlog_key(b, 'turns', 'bulk', account)
  while true do
    local turn = redis.call('zrange', turns, 0, 0)[1]
    if not turn then return nil end
    local key = backlog_key(b, 'waiting', 'bulk', account) .. ':' .. turn
    local id = start_first_of(b, key)
    if redis.call('exists', key) == 0 then redis.call('zrem', turns, turn)
    else redis.call('zadd', turns, next_turn(b), turn) end
    if id then return id end
  end
end

-- Puts the next job of an account in flight. Returns whether there is one, and whether the account still has a backlog.
local function start_next(b, lane, account)
  local parked = backlog_key(b, 'parked', lane, account)
  -- Interactive jobs have no priority in BullMQ.
  local priority = lane == 'interactive' and 0 or nil
  local id
  -- While the account is held, parked jobs are left to check_backlog: going through them all again and again would delay other accounts.
  if b.now >= (held_until_of(b, lane, account) or 0) then id = start_first_of(b, parked, priority) end
  local waiting = backlog_key(b, lane == 'bulk' and 'turns' or 'waiting', lane, account)
  if not id then
    if lane == 'bulk' then id = start_next_turn(b, account) else id = start_first_of(b, waiting, priority) end
  end
  if id then put_in_flight(b, lane, account, id) end
  local accounts = b.root .. ':accounts:' .. lane
  local has_more = redis.call('exists', waiting, parked) > 0
  if not has_more then redis.call('zrem', accounts, account)
  elseif id and lane == 'bulk' then redis.call('zadd', accounts, next_turn(b), account) end
  return id ~= nil, has_more
end

local function start_next_bulk(b)
  for _, account in ipairs(redis.call('zrange', b.root .. ':accounts:bulk', 0, -1)) do
    if has_room(b, 'bulk', account) and start_next(b, 'bulk', account) then return true end
  end
  return false
end

local function release(b, lane, account)
  if lane == 'interactive' then
    if not has_backlog(b, lane, account) then return end
    local room = room_of(b, lane, account)
    while room > 0 do
      local has_started, has_more = start_next(b, lane, account)
      if not has_started or not has_more then return end
      room = room - 1
    end
  else
    while redis.call('scard', b.root .. ':in-flight:bulk') < ${WINDOWS.allBulk} and start_next_bulk(b) do end
  end
end

-- Whether a job is neither waiting nor active, and so must not hold a place in the window.
local function is_out_of_flight(b, id)
  local state = redis.call('hmget', b.prefix .. id, 'name', 'finishedOn')
  return not state[1] or state[2] or redis.call('zscore', b.prefix .. 'delayed', id)
end

local function leave_and_release(b, job, token)
  local lock = redis.call('get', b.prefix .. job.id .. ':lock')
  local is_own = lock == token
  -- A command that Redis got twice or late, after BullMQ moved the job: it may be in flight for another worker, or in the backlog again.
  if not is_own and (lock or not is_out_of_flight(b, job.id)) then return end
  take_from_flight(b, job.lane, job.account, job.id)
  local held_until = held_until_of(b, job.lane, job.account)
  if held_until and b.now >= held_until then set_held(b, job.lane, job.account, nil) end
  if job.lane == 'interactive' and not has_backlog(b, job.lane, job.account) then return end
  if job.lane == 'bulk' and redis.call('exists', b.root .. ':accounts:bulk') == 0 then return end
  if is_own then take_from_backlog(b, job) end
  release(b, job.lane, job.account)
end

-- As BullMQ moves an active job to delayed. Returns false when another worker has the job.
local function delay_active(b, id, token)
  local job = b.prefix .. id
  if redis.call('get', job .. ':lock') ~= token then return false end
  if redis.call('lrem', b.prefix .. 'active', -1, id) == 0 then return false end
  redis.call('del', job .. ':lock')
  redis.call('srem', b.prefix .. 'stalled', id)
  hold_in_backlog(b, id)
  return true
end

local function ask_again(b, job, token)
  if redis.call('sismember', backlog_key(b, 'in-flight', job.lane, job.account), job.id) == 1 then return 1 end
  if has_room(b, job.lane, job.account) then
    take_from_backlog(b, job)
    put_in_flight(b, job.lane, job.account, job.id)
    return 1
  end
  if not delay_active(b, job.id, token) then return -1 end
  put_in_backlog(b, job)
  return 0
end

local function park(b, job, token, until_ms)
  if not delay_active(b, job.id, token) then return -1 end
  take_from_flight(b, job.lane, job.account, job.id)
  take_from_backlog(b, job)
  if b.now >= (held_until_of(b, job.lane, job.account) or 0) then set_held(b, job.lane, job.account, until_ms) end
  redis.call('zadd', backlog_key(b, 'parked', job.lane, job.account), until_ms, job.id)
  add_account(b, job.lane, job.account)
  release(b, job.lane, job.account)
  return 0
end

local function put_back(b, job)
  hold_in_backlog(b, job.id)
  put_in_backlog(b, job)
  release(b, job.lane, job.account)
end

local function make_interactive(b, job, data, changed)
  local key = b.prefix .. job.id
  if not redis.call('zscore', b.prefix .. 'delayed', job.id) or redis.call('hget', key, 'data') ~= data then return 0 end
  redis.call('hset', key, 'data', changed, 'priority', 0)
  local was_waiting = take_from_backlog(b, job)
  job.lane = 'interactive'
  if was_waiting then
    put_in_backlog(b, job)
    release(b, job.lane, job.account)
  end
  return 1
end

-- Parked jobs have their own reasons to try again, such as a timeout of their step: some of those that are due may.
local function start_due_parked(b, lane, account)
  local held_until = held_until_of(b, lane, account)
  if not held_until or b.now >= held_until then return end
  local parked = backlog_key(b, 'parked', lane, account)
  for _, id in ipairs(redis.call('zrangebyscore', parked, '-inf', b.now, 'LIMIT', 0, ${WINDOWS.leastInteractive})) do
    redis.call('zrem', parked, id)
    if release_job(queue_of(b), id) then put_in_flight(b, lane, account, id) end
  end
end

local function check_account(b, lane, account)
  local key = backlog_key(b, 'in-flight', lane, account)
  local dropped = 0
  for _, id in ipairs(redis.call('smembers', key)) do
    if is_out_of_flight(b, id) then
      redis.call('srem', key, id)
      dropped = dropped + 1
    end
  end
  return dropped
end

-- Also releases what a lost wake-up left behind.
local function check_backlog(b, thoroughly)
  local freed = 0
  if thoroughly and redis.call('exists', b.root .. ':accounts:bulk') == 1 then
    local key = b.root .. ':in-flight:bulk'
    for _, id in ipairs(redis.call('smembers', key)) do
      if is_out_of_flight(b, id) then redis.call('srem', key, id) end
    end
  end
  for _, lane in ipairs({ 'interactive', 'bulk' }) do
    for _, account in ipairs(redis.call('zrange', b.root .. ':accounts:' .. lane, 0, -1)) do
      if thoroughly then freed = freed + check_account(b, lane, account) end
      start_due_parked(b, lane, account)
      if lane == 'interactive' then release(b, lane, account) end
    end
  end
  release(b, 'bulk')
  return freed
end
`;
