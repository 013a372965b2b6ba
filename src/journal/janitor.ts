import { z } from 'zod';
import { event as eventSchema } from '../events/envelope.js';
import type { Event } from '../events/envelope.js';
import { completedTtlS, deadLetterTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard, Shards } from '../queues/shards.js';
import { JOURNAL_LUA } from './index-lua.js';
import { TRACE_MARGIN_S } from './trace-changes.js';
import { indexKey, journalPrefix } from './trace-keys.js';

/** How many events the journal keeps, in all shards together. */
export interface JournalLimits {
  readonly events: number;
  /** Of Redis' memory, estimated from a sample of the traces. */
  readonly bytes: number;
}

/** A dead letter whose trace was deleted: nobody can replay it anymore. */
export interface DeletedDeadLetter {
  readonly event: Event;
  /** Whether the event itself failed, not only runs of it. */
  readonly hasFailed: boolean;
  /** The rules whose runs failed. */
  readonly rules: readonly string[];
}

/** What the janitor works with. */
export interface JanitorOptions {
  readonly shards: Shards;
  readonly retention: RetentionDays;
  readonly limits: JournalLimits;
  /** Deletes what else is kept of a dead letter. */
  readonly onDeadLetterDeleted: (deadLetter: DeletedDeadLetter) => Promise<void>;
}

/** Deletes events from the journal: those that are too old, and the oldest ones when there are too many. */
export interface Janitor {
  /**
   * Deletes what is due. Does a bounded amount of work, so a large backlog takes several calls. Several processes may do this at once.
   *
   * @returns How many events were deleted.
   */
  readonly clean: () => Promise<number>;
}

/** The statuses of finished events. An event that also waits or runs is not finished. */
const FINISHED = ['no_match', 'completed', 'failed'] as const;

/** A script deletes at most this many events, which takes Redis about three milliseconds. */
const SLICE = 100;
const SLICES_PER_CALL = 50;

/** The sample for the average size of a trace, and how long the average is used. */
const SAMPLE = 100;
const SAMPLE_AGE_MS = 30_000;

/**
 * KEYS: a key of the shard. ARGV: prefix, time (epoch seconds), margin (seconds), then of each event status, `age` or `count`, and short id.
 * Gives for each event whether it is gone, then for each deleted dead letter its event and its index lines.
 */
const DELETE = defineScript(`${JOURNAL_LUA}
local p, now, margin = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local gone, dead = {}, {}
for at = 4, #ARGV, 3 do
  local status, why, id = unpack(ARGV, at, at + 2)
  local key = p .. 'trace:' .. id
  local index, event = unpack(redis.call('HMGET', key, 'index', 'event'))
  local left = redis.call('TTL', key) - margin
  if not index then
    -- Redis deleted the trace by itself.
    redis.call('ZREM', p .. 'by:status:' .. status, id)
    redis.call('ZREM', p .. 'ids', id)
    gone[#gone + 1] = 1
  elseif string.find(index, '\\nstatus:open\\n', 1, true) or string.find(index, '\\nstatus:waiting\\n', 1, true)
    or (why == 'age' and left > 0) then
    gone[#gone + 1] = 0
  else
    journal_delete(p, id, left > 0 and now + left or nil)
    gone[#gone + 1] = 1
    if string.find(index, '\\nstatus:failed\\n', 1, true) then
      dead[#dead + 1] = event
      dead[#dead + 1] = index
    end
  end
end
return { gone, dead }`);

const deleteReply = z.tuple([z.array(z.int()), z.array(z.string())]);

/**
 * KEYS: a key of the shard. ARGV: prefix, sample size. Gives the number of events, the sample size, and the bytes of the sample: the
 * texts, about 60 bytes for each field, and 120 for each index entry.
 */
const MEASURE = defineScript(`
local p = ARGV[1]
local ids, bytes = redis.call('ZRANDMEMBER', p .. 'ids', ARGV[2]), 0
for _, id in ipairs(ids) do
  bytes = bytes + 250
  local fields = redis.call('HGETALL', p .. 'trace:' .. id)
  for i = 1, #fields, 2 do
    bytes = bytes + #fields[i] + #fields[i + 1] + 60
    if fields[i] == 'index' then
      local _, entries = string.gsub(fields[i + 1], '\\n%a', '')
      bytes = bytes + 120 * (entries + 1)
    end
  end
end
return { redis.call('ZCARD', p .. 'ids'), #ids, bytes }`);

const measureReply = z.tuple([z.int(), z.int(), z.int()]);

/** A finished event that may be deleted. */
interface Candidate {
  readonly shard: Shard;
  readonly status: (typeof FINISHED)[number];
  readonly id: string;
  /** When it was received, in epoch milliseconds. */
  readonly at: number;
}

/** Creates the janitor of the journal. */
export function createJanitor({ shards, retention, limits, onDeadLetterDeleted }: JanitorOptions): Janitor {
  const keptMs = (status: Candidate['status']): number =>
    (status === 'failed' ? deadLetterTtlS(retention) : completedTtlS(retention)) * 1000;
  /** How many of the oldest events of an index were looked at and stay. */
  const skipped = new Map<string, number>();
  let averageBytes = 0;
  let measuredAt = -Infinity;

  const keyOf = ({ shard, status }: Pick<Candidate, 'shard' | 'status'>): string =>
    indexKey(shard.prefix, `status:${status}`);

  const oldest = async (shard: Shard, status: Candidate['status']): Promise<Candidate[]> => {
    const key = keyOf({ shard, status });
    const from = skipped.get(key) ?? 0;
    const flat = await shard.redis.zrange(key, String(from), String(from + SLICE - 1), 'WITHSCORES');
    return flat.flatMap((id, index) =>
      index % 2 === 0 ? [{ shard, status, id, at: Number(flat[index + 1]) }] : [],
    );
  };

  /** How many events the journal has over its limits. */
  const excess = async (): Promise<number> => {
    const isDue = performance.now() - measuredAt > SAMPLE_AGE_MS;
    const measured = await Promise.all(
      shards.all.map(async ({ redis, prefix }) => {
        const values = [journalPrefix(prefix), isDue ? SAMPLE : 0];
        return measureReply.parse(await runScript(redis, MEASURE, [`${journalPrefix(prefix)}ids`], values));
      }),
    );
    const total = measured.reduce((sum, [count]) => sum + count, 0);
    if (isDue && total > 0) {
      // Each shard counts as much as it has events.
      const bytes = measured.reduce(
        (sum, [count, size, sampled]) => sum + (size === 0 ? 0 : (count * sampled) / size),
        0,
      );
      averageBytes = bytes / total;
      measuredAt = performance.now();
    }
    const byBytes = averageBytes === 0 ? Infinity : Math.floor(limits.bytes / averageBytes);
    return total - Math.min(limits.events, byBytes);
  };

  /** Deletes the candidates of one shard that are not in use. Returns how many are gone. */
  const remove = async (
    shard: Shard,
    candidates: readonly (Candidate & { readonly why: 'age' | 'count' })[],
  ): Promise<number> => {
    const values = candidates.flatMap(({ status, why, id }) => [status, why, id]);
    const [gone, dead] = deleteReply.parse(
      await runScript(
        shard.redis,
        DELETE,
        [`${journalPrefix(shard.prefix)}ids`],
        [journalPrefix(shard.prefix), Math.floor(Date.now() / 1000), TRACE_MARGIN_S, ...values],
      ),
    );
    for (const [index, candidate] of candidates.entries()) {
      const key = keyOf(candidate);
      if (gone[index] === 0) skipped.set(key, (skipped.get(key) ?? 0) + 1);
    }
    for (let index = 0; index < dead.length; index += 2)
      await onDeadLetterDeleted(deadLetterFrom(dead[index] ?? '', dead[index + 1] ?? ''));
    return gone.filter((one) => one === 1).length;
  };

  /** Returns how many events were looked at, and how many are gone. */
  const cleanSlice = async (): Promise<{ looked: number; deleted: number }> => {
    const lists = shards.all.flatMap((shard) => FINISHED.map((status) => oldest(shard, status)));
    const found = (await Promise.all(lists)).flat();
    const over = Math.max(0, await excess());
    const now = Date.now();
    const due = found
      .sort((a, b) => a.at - b.at)
      .slice(0, SLICE)
      .map((candidate, index) => ({
        ...candidate,
        why: index < over ? ('count' as const) : ('age' as const),
      }))
      .filter(({ why, at, status }) => why === 'count' || at + keptMs(status) <= now);
    let deleted = 0;
    for (const shard of shards.all) {
      const ofShard = due.filter((candidate) => candidate.shard === shard);
      if (ofShard.length > 0) deleted += await remove(shard, ofShard);
    }
    return { looked: due.length, deleted };
  };

  return {
    clean: async () => {
      for (const { redis, prefix } of shards.all)
        await redis.zremrangebyscore(`${journalPrefix(prefix)}seen`, '-inf', Math.floor(Date.now() / 1000));
      let deleted = 0;
      for (let slice = 0; slice < SLICES_PER_CALL; slice += 1) {
        const result = await cleanSlice();
        deleted += result.deleted;
        if (result.looked === 0) {
          // The next call starts with the oldest events again.
          skipped.clear();
          return deleted;
        }
      }
      return deleted;
    },
  };
}

function deadLetterFrom(event: string, index: string): DeletedDeadLetter {
  const lines = index.split('\n');
  return {
    event: eventSchema.parse(JSON.parse(event)),
    hasFailed: lines.some((line) => line.startsWith('@p\tfailed\t')),
    rules: lines.flatMap((line) => /^@r:([^\t]*)\tfailed\t/.exec(line)?.[1] ?? []),
  };
}
