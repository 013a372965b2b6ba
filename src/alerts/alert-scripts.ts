/*
 * Lua scripts that change the alerts in Redis. Each is atomic: a worker that has lost its lock must detect that another worker
 * has continued, and must not undo that worker's changes.
 *
 * The hash of open groups holds "first last more" for each group: the times of its first and last alert, and how many alerts
 * are only counted. " r" behind them marks a group that resolves its problem.
 */

import { defineScript } from '../queues/script.js';

/** KEYS: added, content, busy, recheck, groups, group. ARGV: ttl of added (s), repeat interval (ms), channel, group, now, id, alert, max alerts, 1 when the alert resolves the problem of its group. */
export const ADD = defineScript(`
  if redis.call('set', KEYS[1], '1', 'EX', ARGV[1], 'NX') == false then return 'duplicate' end
  if tonumber(ARGV[2]) > 0 and redis.call('set', KEYS[2], ARGV[6], 'PX', ARGV[2], 'NX') == false then return 'repeated' end
  redis.call('sadd', KEYS[3], ARGV[3])
  local open = redis.call('hget', KEYS[5], ARGV[4])
  local first, more, result = ARGV[5], 0, 'opened'
  if open then
    first = string.match(open, '^%d+')
    more = tonumber(string.match(open, '^%d+ %d+ (%d+)') or '0')
    result = 'joined'
  else
    redis.call('sadd', KEYS[4], ARGV[3])
  end
  local resolves = ARGV[9] == '1'
  local mark = (resolves or (open and string.find(open, 'r', 1, true))) and ' r' or ''
  local length, max = redis.call('llen', KEYS[6]), tonumber(ARGV[8])
  if length < max or (resolves and length < 2 * max) then
    redis.call('rpush', KEYS[6], ARGV[7])
  else
    more = more + 1
    result = 'counted'
  end
  redis.call('hset', KEYS[5], ARGV[4], first .. ' ' .. ARGV[5] .. ' ' .. more .. mark)
  return result
`);

/** A channel without open groups and without a pending message is idle. */
const MARK_IF_IDLE = `
  local function markIfIdle(busy, groups, pending, channel)
    if redis.call('exists', groups) == 0 and redis.call('exists', pending) == 0 then redis.call('srem', busy, channel) end
  end
`;

/** Lets the content of undelivered or silenced alerts be added again, unless another alert has claimed the content since. */
const CLEAR_CONTENT = `
  local function clearContent(fromKey, fromArgument)
    for i = 0, #KEYS - fromKey do
      if redis.call('get', KEYS[fromKey + i]) == ARGV[fromArgument + i] then redis.call('del', KEYS[fromKey + i]) end
    end
  end
`;

/** Whether a message is still the pending one. Its id is the prefix of its JSON. */
const IS_PENDING = `
  local function isPending(pending, prefix)
    local stored = redis.call('get', pending)
    return stored and string.sub(stored, 1, string.len(prefix)) == prefix
  end
`;

/** KEYS: busy, groups, pending message. ARGV: channel. */
export const MARK_IDLE = defineScript(`${MARK_IF_IDLE} markIfIdle(KEYS[1], KEYS[2], KEYS[3], ARGV[1])`);

/**
 * KEYS: pending message, busy, groups, the list of each group, the content of each silenced alert.
 * ARGV: channel, message or '', now, number of groups; for each group its key, number of alerts, first alert, last alert, number
 * of alerts that are only counted; the id of each silenced alert.
 */
export const CREATE_MESSAGE = defineScript(`
  ${MARK_IF_IDLE} ${CLEAR_CONTENT}
  if redis.call('exists', KEYS[1]) == 1 then return 0 end
  local groups = tonumber(ARGV[4])
  for i = 0, groups - 1 do
    local at, list = 5 + i * 5, KEYS[4 + i]
    local open = redis.call('hget', KEYS[3], ARGV[at])
    if not open or (string.match(open, '^%d+ %d+ (%d+)') or '0') ~= ARGV[at + 4] then return 0 end
    if redis.call('lindex', list, 0) ~= ARGV[at + 2] then return 0 end
    if redis.call('lindex', list, tonumber(ARGV[at + 1]) - 1) ~= ARGV[at + 3] then return 0 end
  end
  for i = 0, groups - 1 do
    local at, list = 5 + i * 5, KEYS[4 + i]
    redis.call('ltrim', list, ARGV[at + 1], -1)
    if redis.call('llen', list) == 0 then
      redis.call('hdel', KEYS[3], ARGV[at])
    else
      local mark = string.match(redis.call('hget', KEYS[3], ARGV[at]), ' r$') or ''
      redis.call('hset', KEYS[3], ARGV[at], ARGV[3] .. ' ' .. ARGV[3] .. ' 0' .. mark)
    end
  end
  if ARGV[2] ~= '' then redis.call('set', KEYS[1], ARGV[2]) end
  clearContent(4 + groups, 5 + groups * 5)
  markIfIdle(KEYS[2], KEYS[3], KEYS[1], ARGV[1])
  return 1
`);

/** KEYS: pending message. ARGV: prefix of the message, message. */
export const SAVE_PENDING = defineScript(`
  ${IS_PENDING}
  if not isPending(KEYS[1], ARGV[1]) then return 0 end
  redis.call('set', KEYS[1], ARGV[2])
  return 1
`);

/** KEYS: pending message, busy, groups, sent messages, sent-at of each group. ARGV: prefix of the message, channel, id, now, group interval (ms), rate limit window (ms). */
export const MARK_DELIVERED = defineScript(`
  ${MARK_IF_IDLE} ${IS_PENDING}
  if not isPending(KEYS[1], ARGV[1]) then return 0 end
  redis.call('del', KEYS[1])
  for i = 5, #KEYS do redis.call('set', KEYS[i], ARGV[4], 'PX', ARGV[5]) end
  redis.call('zadd', KEYS[4], ARGV[4], ARGV[3])
  redis.call('pexpire', KEYS[4], ARGV[6])
  markIfIdle(KEYS[2], KEYS[3], KEYS[1], ARGV[2])
  return 1
`);

/** KEYS: pending message, busy, groups, undelivered ids, undelivered message, the content of each alert. ARGV: prefix of the message, channel, id, now, message, retention (ms), the id of each alert. */
export const MARK_UNDELIVERED = defineScript(`
  ${MARK_IF_IDLE} ${CLEAR_CONTENT} ${IS_PENDING}
  if not isPending(KEYS[1], ARGV[1]) then return 0 end
  redis.call('del', KEYS[1])
  redis.call('zadd', KEYS[4], ARGV[4], ARGV[3])
  redis.call('set', KEYS[5], ARGV[5], 'PX', ARGV[6])
  clearContent(6, 7)
  markIfIdle(KEYS[2], KEYS[3], KEYS[1], ARGV[2])
  return 1
`);

/** KEYS: undelivered message, undelivered ids, busy, recheck, groups, the list of each group. ARGV: id, channel, now; for each group its key, number of alerts that are only counted, number of alerts, the alerts. */
export const REQUEUE = defineScript(`
  if redis.call('del', KEYS[1]) == 0 then return 0 end
  redis.call('zrem', KEYS[2], ARGV[1])
  redis.call('sadd', KEYS[3], ARGV[2])
  redis.call('sadd', KEYS[4], ARGV[2])
  local at = 4
  for i = 6, #KEYS do
    local open = redis.call('hget', KEYS[5], ARGV[at])
    local first = open and string.match(open, '^%d+') or ARGV[3]
    local more = tonumber(open and string.match(open, '^%d+ %d+ (%d+)') or '0') + tonumber(ARGV[at + 1])
    local mark = open and string.match(open, ' r$') or ''
    redis.call('hset', KEYS[5], ARGV[at], first .. ' ' .. ARGV[3] .. ' ' .. more .. mark)
    local alerts = tonumber(ARGV[at + 2])
    for j = 1, alerts do redis.call('rpush', KEYS[i], ARGV[at + 2 + j]) end
    at = at + 3 + alerts
  end
  return 1
`);

/** KEYS: missing. ARGV: now, ttl (ms). Returns since when the channel is missing, and whether this call recorded the time. */
export const MARK_MISSING = defineScript(`
  if redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return {ARGV[1], 1} end
  return {redis.call('get', KEYS[1]), 0}
`);
