/**
 * Lua functions that write to a key once for a whole batch. A script that stores many events writes to few keys, and each command costs
 * more than a member of it. Other fragments take `writes`; without it they write at once.
 *
 * - `collect(writes, command, key, ...)`: a command that takes many members (`ZADD`, `SADD`, `HSET`, `LPUSH`), with the next ones.
 * - `collect_once(writes, command, key, member)`: the same, for a member that repeats.
 * - `count_up(writes, key)`: as `INCR`.
 * - `flush_writes(writes)`: writes all of it. Until then Redis has none of it, so the script must not read these keys.
 *
 * `collected_writes()` makes `writes`.
 */
export const COLLECTED_WRITES_LUA = `
local function collected_writes()
  return { by_key = {}, once = {}, counters = {} }
end

local function collect(writes, command, key, ...)
  if not writes then return redis.call(command, key, ...) end
  local write = writes.by_key[key]
  if not write then
    write = { command, key }
    writes.by_key[key] = write
    writes[#writes + 1] = write
  end
  local count = #write
  for i = 1, select('#', ...) do write[count + i] = (select(i, ...)) end
end

local function collect_once(writes, command, key, member)
  if writes then
    local name = key .. '\\n' .. member
    if writes.once[name] then return end
    writes.once[name] = true
  end
  collect(writes, command, key, member)
end

local function count_up(writes, key)
  if not writes then return redis.call('INCR', key) end
  local counter = writes.counters[key]
  if not counter then
    counter = { value = tonumber(redis.call('GET', key) or '0'), added = 0 }
    writes.counters[key] = counter
  end
  counter.added = counter.added + 1
  return counter.value + counter.added
end

-- Lua passes at most some thousand values.
local MAX_VALUES = 4000

local function flush_writes(writes)
  for _, write in ipairs(writes) do
    for from = 3, #write, MAX_VALUES do
      redis.call(write[1], write[2], unpack(write, from, math.min(from + MAX_VALUES - 1, #write)))
    end
  end
  for key, counter in pairs(writes.counters) do redis.call('INCRBY', key, counter.added) end
end
`;
