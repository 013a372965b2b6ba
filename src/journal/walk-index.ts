import { z } from 'zod';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { journalPrefix, traceKey } from './trace-keys.js';

/** The position of an event in lists: newest first, and within one millisecond by short id, the greatest first. */
export interface Position {
  /** When the event was received, in epoch milliseconds. */
  readonly at: number;
  /** The short id of the event. */
  readonly id: string;
}

/** What to look for in the indexes. */
export interface IndexQuery {
  /** The names of the indexes to walk, together. */
  readonly sources: readonly string[];
  /** What the events must have: at least one line of each group in the field `index`. */
  readonly groups: readonly { readonly field: string; readonly lines: readonly string[] }[];
  /** A folded text that a reason must contain. */
  readonly reason?: string | undefined;
  /** A folded text that the serial number, UDID or a name of the device must contain. */
  readonly device?: string | undefined;
  /** Epoch milliseconds, both inclusive. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly limit: number;
}

/** An event that an index led to: fields of its trace. */
export interface FoundEvent {
  readonly position: Position;
  readonly fields: Readonly<Record<string, string>>;
}

/** A script looks at this many events at most, which takes Redis about two milliseconds. */
const BUDGET = 2000;

/**
 * KEYS: a key of the shard. ARGV: prefix, query (JSON).
 *
 * Reads the next events of the sources behind `from`, newest first, and keeps those with all lines. Gives `{ done, score, id, events }`:
 * the position where the next call goes on, and for each event score, id and its fields.
 */
const WALK = defineScript(`
local p, query = ARGV[1], cjson.decode(ARGV[2])
local from = query.from

-- As Redis compares members. The operators of Lua depend on the locale.
local function is_less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function is_newer(a, b)
  if a.at ~= b.at then return a.at > b.at end
  return is_less(b.id, a.id)
end

local entries, bound = {}, nil
local chunk = math.max(20, math.floor(query.budget / #query.sources))
for _, name in ipairs(query.sources) do
  local key, max = p .. 'by:' .. name, query.max
  if from then
    for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', key, from.score, from.score)) do
      if is_less(id, from.id) then
        entries[#entries + 1] = { score = from.score, at = tonumber(from.score), id = id, name = name }
      end
    end
    max = '(' .. from.score
  end
  local rest = redis.call('ZREVRANGEBYSCORE', key, max, query.min, 'WITHSCORES', 'LIMIT', 0, chunk)
  for i = 1, #rest, 2 do
    entries[#entries + 1] = { score = rest[i + 1], at = tonumber(rest[i + 1]), id = rest[i], name = name }
  end
  -- Behind the end of a list that was cut, entries of this source are missing.
  if #rest == 2 * chunk and (not bound or is_newer(entries[#entries], bound)) then bound = entries[#entries] end
end
if #query.sources > 1 then table.sort(entries, is_newer) end

for _, group in ipairs(query.groups) do
  group.has = {}
  for _, line in ipairs(group.lines) do group.has[line] = true end
end
local is_plain = #query.groups == 0 and not query.reason and not query.device
local function fits(id)
  if is_plain then return true end
  local index = redis.call('HGET', p .. 'trace:' .. id, 'index')
  -- Without a trace the entry is stale: it is removed below.
  if not index then return true end
  for _, group in ipairs(query.groups) do
    if #group.lines == 1 then
      if not string.find(index, '\\n' .. group.lines[1] .. '\\n', 1, true) then return false end
    else
      local line = string.match(index, '\\n(' .. group.field .. ':[^\\n]*)')
      if not line or not group.has[line] then return false end
    end
  end
  if query.reason then
    local is_there = false
    for reason in string.gmatch(index, '\\n@[^\\t\\n]*\\t[^\\t\\n]*\\t[^\\t\\n]*\\t([^\\n]+)') do
      is_there = is_there or string.find(reason, query.reason, 1, true) ~= nil
    end
    if not is_there then return false end
  end
  if query.device then
    local device = string.match(index, '\\ndevice:([^\\n]*)')
    local known = device and redis.call('HGET', p .. 'devices', device)
    if not known or not string.find(known, query.device, 1, true) then return false end
  end
  return true
end

local found, done, position = {}, bound == nil, from
for _, entry in ipairs(entries) do
  if bound and is_newer(bound, entry) then break end
  position = entry
  if fits(entry.id) then
    local key = p .. 'trace:' .. entry.id
    local index = redis.call('HGET', key, 'index')
    if index then
      local fields = { 'event', 'processing', 'decisions', 'fact:device' }
      for rule in string.gmatch(index, '\\nrule:([^\\n]*)') do fields[#fields + 1] = 'run:' .. rule end
      local values, event = redis.call('HMGET', key, unpack(fields)), { entry.score, entry.id }
      for i, value in ipairs(fields) do
        if values[i] then
          event[#event + 1] = value
          event[#event + 1] = values[i]
        end
      end
      found[#found + 1] = event
      if #found == query.limit then
        done = false
        break
      end
    else
      -- Redis deleted the trace by itself.
      redis.call('ZREM', p .. 'by:' .. entry.name, entry.id)
    end
  end
end
return { done and 1 or 0, position and position.score or '', position and position.id or '', found }`);

const walkReply = z.tuple([z.int(), z.string(), z.string(), z.array(z.array(z.string()))]);

/**
 * Walks indexes, newest first, until enough events fit or the indexes end. Each script does a bounded amount of work, so that other
 * clients of Redis do not wait for a filter with few matches.
 *
 * @param from - The events behind this position.
 * @returns At most `limit` events.
 */
export async function walkIndexes(
  { redis, prefix }: Shard,
  query: IndexQuery,
  from: Position | undefined,
): Promise<FoundEvent[]> {
  if (query.sources.length === 0) return [];
  const { since, until, ...rest } = query;
  const found: FoundEvent[] = [];
  if (from !== undefined && from.at < (since ?? -Infinity)) return found;
  // A position before the newest event in the range is the start.
  const isBehindStart = from !== undefined && from.at <= (until ?? Infinity);
  let position = isBehindStart ? { score: String(from.at), id: from.id } : undefined;
  for (;;) {
    const slice = {
      ...rest,
      min: since === undefined ? '-inf' : String(since),
      max: until === undefined ? '+inf' : String(until),
      limit: query.limit - found.length,
      budget: BUDGET,
      from: position,
    };
    const keys = [traceKey(prefix, position?.id ?? '')];
    const reply = await runScript(redis, WALK, keys, [journalPrefix(prefix), JSON.stringify(slice)]);
    const [done, score, id, events] = walkReply.parse(reply);
    found.push(...events.map(foundEvent));
    if (done === 1 || found.length >= query.limit) return found;
    position = { score, id };
  }
}

function foundEvent([score = '', id = '', ...fields]: readonly string[]): FoundEvent {
  const pairs = fields.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : [],
  );
  return { position: { at: Number(score), id }, fields: Object.fromEntries(pairs) };
}
