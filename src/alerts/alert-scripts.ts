/*
 * What changes the alerts in Redis, each in one step: a worker that was out of touch for longer than its lock must find out that another
 * one has gone on in its place, and must not undo what that one did.
 *
 * An open group is "first last more" in the hash of groups: when its first and its last alert came, and how many are only counted.
 */

/** KEYS: known, told, busy, opened, groups, group. ARGV: known for s, repeat ms, channel, group, now, id, alert, most. */
export const ADD = `
  if redis.call('set', KEYS[1], '1', 'EX', ARGV[1], 'NX') == false then return 'known' end
  if tonumber(ARGV[2]) > 0 and redis.call('set', KEYS[2], ARGV[6], 'PX', ARGV[2], 'NX') == false then return 'repeated' end
  redis.call('sadd', KEYS[3], ARGV[3])
  local open = redis.call('hget', KEYS[5], ARGV[4])
  local first, more, taken = ARGV[5], 0, 'opened'
  if open then
    first = string.match(open, '^%d+')
    more = tonumber(string.match(open, '^%d+ %d+ (%d+)') or '0')
    taken = 'joined'
  else
    redis.call('sadd', KEYS[4], ARGV[3])
  end
  if redis.call('llen', KEYS[6]) < tonumber(ARGV[8]) then
    redis.call('rpush', KEYS[6], ARGV[7])
  else
    more = more + 1
    taken = 'counted'
  end
  redis.call('hset', KEYS[5], ARGV[4], first .. ' ' .. ARGV[5] .. ' ' .. more)
  return taken
`;

/** A channel is idle when nothing of it is left. */
const REST = `
  local function rest(busy, groups, underWay, channel)
    if redis.call('exists', groups) == 0 and redis.call('exists', underWay) == 0 then redis.call('srem', busy, channel) end
  end
`;

/** That the same was told counts no more when it was not told after all; unless another alert has told it since. */
const FORGET = `
  local function forget(fromKey, fromArgument)
    for i = 0, #KEYS - fromKey do
      if redis.call('get', KEYS[fromKey + i]) == ARGV[fromArgument + i] then redis.call('del', KEYS[fromKey + i]) end
    end
  end
`;

/** Whether a message is still the one that is under way: its id stands first in it. */
const STILL = `
  local function still(underWay, beginning)
    local stored = redis.call('get', underWay)
    return stored and string.sub(stored, 1, string.len(beginning)) == beginning
  end
`;

/** KEYS: busy, groups, under way. ARGV: channel. */
export const MARK_IDLE = `${REST} rest(KEYS[1], KEYS[2], KEYS[3], ARGV[1])`;

/**
 * KEYS: under way, busy, groups, the list of each group, told of each alert that is silenced.
 * ARGV: channel, message or nothing, now, how many groups, for each its key, how many alerts, the first and the last of them and how many
 * are only counted; the id of each alert that is silenced.
 */
export const CREATE_MESSAGE = `
  ${REST} ${FORGET}
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
      redis.call('hset', KEYS[3], ARGV[at], ARGV[3] .. ' ' .. ARGV[3] .. ' 0')
    end
  end
  if ARGV[2] ~= '' then redis.call('set', KEYS[1], ARGV[2]) end
  forget(4 + groups, 5 + groups * 5)
  rest(KEYS[2], KEYS[3], KEYS[1], ARGV[1])
  return 1
`;

/** KEYS: under way. ARGV: how the message begins, message. */
export const SAVE_PENDING = `
  ${STILL}
  if not still(KEYS[1], ARGV[1]) then return 0 end
  redis.call('set', KEYS[1], ARGV[2])
  return 1
`;

/** KEYS: under way, busy, groups, sent, when each group was sent. ARGV: how the message begins, channel, id, now, group interval, limit per ms. */
export const MARK_DELIVERED = `
  ${REST} ${STILL}
  if not still(KEYS[1], ARGV[1]) then return 0 end
  redis.call('del', KEYS[1])
  for i = 5, #KEYS do redis.call('set', KEYS[i], ARGV[4], 'PX', ARGV[5]) end
  redis.call('zadd', KEYS[4], ARGV[4], ARGV[3])
  redis.call('pexpire', KEYS[4], ARGV[6])
  rest(KEYS[2], KEYS[3], KEYS[1], ARGV[2])
  return 1
`;

/** KEYS: under way, busy, groups, aside, the message aside, told of each alert. ARGV: how the message begins, channel, id, now, message, keep ms, the id of each alert. */
export const MARK_UNDELIVERED = `
  ${REST} ${FORGET} ${STILL}
  if not still(KEYS[1], ARGV[1]) then return 0 end
  redis.call('del', KEYS[1])
  redis.call('zadd', KEYS[4], ARGV[4], ARGV[3])
  redis.call('set', KEYS[5], ARGV[5], 'PX', ARGV[6])
  forget(6, 7)
  rest(KEYS[2], KEYS[3], KEYS[1], ARGV[2])
  return 1
`;

/** KEYS: the message aside, aside, busy, opened, groups, the list of each group. ARGV: id, channel, now, for each group its key, how many are only counted, how many alerts, the alerts. */
export const REQUEUE = `
  if redis.call('del', KEYS[1]) == 0 then return 0 end
  redis.call('zrem', KEYS[2], ARGV[1])
  redis.call('sadd', KEYS[3], ARGV[2])
  redis.call('sadd', KEYS[4], ARGV[2])
  local at = 4
  for i = 6, #KEYS do
    local open = redis.call('hget', KEYS[5], ARGV[at])
    local first = open and string.match(open, '^%d+') or ARGV[3]
    local more = tonumber(open and string.match(open, '^%d+ %d+ (%d+)') or '0') + tonumber(ARGV[at + 1])
    redis.call('hset', KEYS[5], ARGV[at], first .. ' ' .. ARGV[3] .. ' ' .. more)
    local alerts = tonumber(ARGV[at + 2])
    for j = 1, alerts do redis.call('rpush', KEYS[i], ARGV[at + 2 + j]) end
    at = at + 3 + alerts
  end
  return 1
`;

/** KEYS: missing. ARGV: now, keep ms. Answers since when, and whether that is new. */
export const MARK_MISSING = `
  if redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return {ARGV[1], 1} end
  return {redis.call('get', KEYS[1]), 0}
`;
