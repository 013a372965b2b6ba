import { COLLECTED_WRITES_LUA } from '../queues/collected-writes.js';

/** How many values `startTraceArgs` (index-entries.ts) gives for an event. */
export const START_TRACE_VALUES = 6;

/**
 * Lua functions that keep a trace and its indexes in step. A script puts the text in front of its own. Keys, after the prefix `p`
 * (`journalPrefix`):
 *
 * - `trace:<id>`: hash, the trace. Its field `index` has a line for each index entry of the event and for what decides them:
 *   `#<score>`, `type:…`, `account:…`, `device:<account>:<device>`, a line `=`, then what changes: `@p` (processing) and
 *   `@r:<rule>` (runs), each with status, code and reason, and `status:…`, `rule:…`, `code:…`, `reason`. A line that starts with a
 *   letter is the name of an index. `.status:queued` and `.status:processing` are not: both are in the index `status:open`.
 * - `by:<name>`: sorted set, the ids of the events of an index by time of receipt.
 * - `ids`: sorted set with one score, all ids in the order of their characters.
 * - `values:type`, `values:account`: set, the types and accounts that have an index.
 * - `devices`: hash, for each device what it is called: serial number, UDID and names, between tabs.
 * - `serials`: hash, the devices with a serial number, between tabs.
 * - `seen`: sorted set, the ids of events that were deleted early, by the time (epoch seconds) until which a repeat does nothing.
 *
 * Functions for other scripts:
 *
 * - `journal_is_known(p, id)`: whether an event was received before. `id` is its short id.
 * - `journal_start(p, args, at, ttl, received, writes)`: starts a trace unless it exists, with the values of `startTraceArgs` from `args[at]`;
 *   gives 1 when the event is new, else 0. `ttl` in seconds, 0 when `journal_write` follows; `received` is true when the event comes from a receiver or another source,
 *   false when a worker makes sure that the trace exists. With `writes` ({@link COLLECTED_WRITES_LUA}) it collects the indexes of a batch.
 * - `journal_read_devices(p, args, first, step, writes)`: for a batch, reads at once what it knows of all devices. `first` and `step` are the
 *   positions of the values of the events.
 * - `journal_known(p, id)`: what a worker needs to begin: index lines, decisions, then names and values of facts. `knownTraceFrom` reads it.
 *   `journal_facts(p, id)`: the same with the facts only.
 * - `journal_write(p, args, at)`: writes what `traceWriteArgs` gave from `args[at]`; gives the position after it.
 * - `journal_delete(p, id, seen_until)`: deletes a trace and its index entries.
 */
export const JOURNAL_LUA = `${COLLECTED_WRITES_LUA}
local function journal_with_term(known, term)
  if term == '' or string.find(known, '\\t' .. term .. '\\t', 1, true) then return known end
  -- A device that is renamed again and again keeps its latest names.
  if #known > 500 then known = '\\t' .. (string.match(string.sub(known, -300), '\\t(.*)$') or '') end
  return known .. term .. '\\t'
end

local function journal_get(p, hash, field, writes)
  if writes and writes.devices then return writes.devices[hash][field] end
  return redis.call('HGET', p .. hash, field)
end

local function journal_set(p, hash, field, value, writes)
  if writes and writes.devices then writes.devices[hash][field] = value end
  collect(writes, 'HSET', p .. hash, field, value)
end

local function journal_remember(p, device, terms, writes)
  local before = journal_get(p, 'devices', device, writes)
  local known = before or '\\t'
  for _, term in ipairs(terms) do known = journal_with_term(known, term) end
  if known ~= (before or '\\t') then journal_set(p, 'devices', device, known, writes) end
end

local function journal_describe(p, device, serial, udid, writes)
  if serial ~= '' then
    local owners = journal_get(p, 'serials', serial, writes) or '\\t'
    if not string.find(owners, '\\t' .. device .. '\\t', 1, true) then
      journal_set(p, 'serials', serial, owners .. device .. '\\t', writes)
    end
  end
  if serial ~= '' or udid ~= '' then journal_remember(p, device, { serial, udid }, writes) end
end

local function journal_read_fields(key, fields)
  local values = {}
  if #fields == 0 then return values end
  for i, value in ipairs(redis.call('HMGET', key, unpack(fields))) do values[fields[i]] = value or nil end
  return values
end

local function journal_read_devices(p, args, first, step, writes)
  local devices, serials = {}, {}
  for at = first, #args, step do
    local device = string.match(args[at + 3], '\\ndevice:([^\\n]*)')
    if device then
      devices[#devices + 1] = device
      if args[at + 4] ~= '' then serials[#serials + 1] = args[at + 4] end
    end
  end
  writes.devices = {
    devices = journal_read_fields(p .. 'devices', devices),
    serials = journal_read_fields(p .. 'serials', serials)
  }
end

local function journal_forget_device(p, device)
  local known = redis.call('HGET', p .. 'devices', device)
  if not known then return end
  redis.call('HDEL', p .. 'devices', device)
  for term in string.gmatch(known, '[^\\t]+') do
    local owners = redis.call('HGET', p .. 'serials', term)
    local from, to = string.find(owners or '', '\\t' .. device .. '\\t', 1, true)
    if from then
      local rest = string.sub(owners, 1, from) .. string.sub(owners, to + 1)
      if rest == '\\t' then redis.call('HDEL', p .. 'serials', term) else redis.call('HSET', p .. 'serials', term, rest) end
    end
  end
end

local function journal_add(p, name, score, id, writes)
  collect(writes, 'ZADD', p .. 'by:' .. name, score, id)
  local field, value = string.match(name, '^(%a+):(.*)$')
  if field == 'type' or field == 'account' then collect_once(writes, 'SADD', p .. 'values:' .. field, value) end
end

local function journal_remove(p, name, id)
  redis.call('ZREM', p .. 'by:' .. name, id)
  local field, value = string.match(name, '^(%a+):(.*)$')
  if field ~= 'type' and field ~= 'account' and field ~= 'device' then return end
  if redis.call('EXISTS', p .. 'by:' .. name) == 1 then return end
  if field == 'device' then journal_forget_device(p, value) else redis.call('SREM', p .. 'values:' .. field, value) end
end

-- A trace is renewed once an hour at most: TRACE_MARGIN_S is longer than that.
local function journal_keep(key, ttl)
  if redis.call('TTL', key) < ttl - 3600 then redis.call('EXPIRE', key, ttl) end
end

local function journal_is_known(p, id)
  return redis.call('HEXISTS', p .. 'trace:' .. id, 'received') == 1 or redis.call('ZSCORE', p .. 'seen', id) ~= false
end

-- The lines that parts decide: each part has a name (p, r:rule), status, code and reason, between tabs.
local function journal_derive(parts)
  local lines, has, state, runs = {}, {}, nil, 0
  local is_there = {}
  local function add(line)
    if not is_there[line] then
      is_there[line] = true
      lines[#lines + 1] = line
    end
  end
  local function add_status(status)
    if status == 'queued' or status == 'processing' then
      add('.status:' .. status)
      add('status:open')
    else
      add('status:' .. status)
    end
  end
  for _, part in ipairs(parts) do
    add('@' .. part)
    local name, status, code, reason = string.match(part, '^([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)$')
    if name == 'p' then
      state = status
      if status ~= 'completed' then add_status(status) end
    else
      runs = runs + 1
      has[status] = true
      add('rule:' .. string.sub(name, 3))
      if status == 'running' then add_status('processing') else add_status(status) end
    end
    if code ~= '' then add('code:' .. code) end
    if reason ~= '' then add('reason') end
  end
  -- As statusOf in trace.ts.
  if state == 'failed' or has.failed then add_status('failed')
  elseif state == 'waiting' or has.waiting then add_status('waiting')
  elseif state == nil then add_status('queued')
  elseif state == 'processing' or has.running or has.queued then add_status('processing')
  elseif runs == 0 then add_status('no_match')
  else add_status('completed') end
  return lines
end

-- Writes the fields, a list of names and values, and the index entries that the changed parts lead to.
local function journal_reindex(p, key, id, changed, fields)
  local old = redis.call('HGET', key, 'index')
  if not old then
    if fields[1] then redis.call('HSET', key, unpack(fields)) end
    return
  end
  local constant, rest = string.match(old, '^(.-\\n)=\\n(.*)$')
  local parts, before = {}, {}
  for line in string.gmatch(rest, '[^\\n]+') do
    local first = string.sub(line, 1, 1)
    if first == '@' then
      local name = string.match(line, '^@([^\\t]*)')
      parts[#parts + 1] = changed[name] or string.sub(line, 2)
      changed[name] = nil
    elseif first ~= '.' then
      before[line] = true
    end
  end
  for _, part in pairs(changed) do parts[#parts + 1] = part end
  local lines = journal_derive(parts)
  local text = constant .. '=\\n' .. table.concat(lines, '\\n') .. '\\n'
  if text ~= old then
    fields[#fields + 1] = 'index'
    fields[#fields + 1] = text
  end
  if fields[1] then redis.call('HSET', key, unpack(fields)) end
  if text == old then return end
  local score = string.match(constant, '#(%d+)')
  for _, line in ipairs(lines) do
    local first = string.sub(line, 1, 1)
    if first ~= '@' and first ~= '.' then
      if before[line] then before[line] = nil else journal_add(p, line, score, id) end
    end
  end
  for line in pairs(before) do journal_remove(p, line, id) end
end

-- Whether the event was deleted early. Most batches come while there is no such event.
local function journal_was_deleted(p, id, writes)
  if not writes then return redis.call('ZSCORE', p .. 'seen', id) ~= false end
  if writes.has_deleted == nil then writes.has_deleted = redis.call('EXISTS', p .. 'seen') == 1 end
  return writes.has_deleted and redis.call('ZSCORE', p .. 'seen', id) ~= false
end

local function journal_index_new(p, id, score, constant, serial, udid, name, writes)
  collect(writes, 'ZADD', p .. 'ids', 0, id)
  collect(writes, 'ZADD', p .. 'by:status:open', score, id)
  for line in string.gmatch(constant, '\\n(%a[^\\n]*)') do journal_add(p, line, score, id, writes) end
  local device = string.match(constant, '\\ndevice:([^\\n]*)')
  if not device then return end
  journal_describe(p, device, serial, udid, writes)
  if name then journal_remember(p, device, { name }, writes) end
end

local function journal_start(p, args, at, ttl, received, writes)
  local id, score, event, constant, serial, udid = unpack(args, at, at + ${START_TRACE_VALUES - 1})
  local key = p .. 'trace:' .. id
  if received and journal_was_deleted(p, id, writes) then return 0 end
  local index = constant .. '=\\nstatus:open\\n.status:queued\\n'
  if redis.call('EXISTS', key) == 0 then
    if received then redis.call('HSET', key, 'event', event, 'index', index, 'received', '1')
    else redis.call('HSET', key, 'event', event, 'index', index) end
    if ttl > 0 then redis.call('EXPIRE', key, ttl) end
    journal_index_new(p, id, score, constant, serial, udid, nil, writes)
    return received and 1 or 0
  end
  local new = received and redis.call('HSETNX', key, 'received', '1') or 0
  if redis.call('HSETNX', key, 'event', event) == 1 then
    redis.call('HSET', key, 'index', index)
    -- A sweep records the fact before the event.
    local name = redis.call('HGET', key, 'name')
    if name then redis.call('HDEL', key, 'name') end
    journal_index_new(p, id, score, constant, serial, udid, name, writes)
  end
  if ttl > 0 then journal_keep(key, ttl) end
  return new
end

local function journal_add_facts(p, id, known)
  local key = p .. 'trace:' .. id
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 5) == 'fact:' then
      known[#known + 1] = string.sub(field, 6)
      known[#known + 1] = redis.call('HGET', key, field)
    end
  end
  return known
end

local function journal_known(p, id)
  local index, decisions = unpack(redis.call('HMGET', p .. 'trace:' .. id, 'index', 'decisions'))
  return journal_add_facts(p, id, { index or '', decisions or '' })
end

local function journal_facts(p, id)
  return journal_add_facts(p, id, { '', '' })
end

local function journal_write(p, args, at)
  local id, ttl, name, count = args[at], tonumber(args[at + 1]), args[at + 2], tonumber(args[at + 3])
  local key = p .. 'trace:' .. id
  local changed
  local fields = {}
  at = at + 4
  for _ = 1, count do
    local mode, field, value, part, status, code, reason = unpack(args, at, at + 6)
    at = at + 7
    local is_written = true
    if mode == 'new' then
      is_written = redis.call('HSETNX', key, field, value) == 1
    else
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
    if part ~= '' and is_written then
      changed = changed or {}
      changed[part] = part .. '\\t' .. status .. '\\t' .. code .. '\\t' .. reason
    end
  end
  if changed then journal_reindex(p, key, id, changed, fields)
  elseif fields[1] then redis.call('HSET', key, unpack(fields)) end
  if name ~= '' then
    local index = redis.call('HGET', key, 'index')
    local device = string.match(index or '', '\\ndevice:([^\\n]*)')
    if device then journal_remember(p, device, { name }) end
    if not index then redis.call('HSET', key, 'name', name) end
  end
  journal_keep(key, ttl)
  return at
end

local function journal_delete(p, id, seen_until)
  local index = redis.call('HGET', p .. 'trace:' .. id, 'index') or ''
  for name in string.gmatch(index, '\\n(%a[^\\n]*)') do journal_remove(p, name, id) end
  redis.call('ZREM', p .. 'ids', id)
  redis.call('UNLINK', p .. 'trace:' .. id)
  if seen_until then redis.call('ZADD', p .. 'seen', seen_until, id) end
end
`;
