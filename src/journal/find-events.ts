import { z } from 'zod';
import { ERRORS } from '../errors/registry.js';
import { event as eventSchema } from '../events/envelope.js';
import { matchesType } from '../rules/model/event-pattern.js';
import { pipelineResults } from '../queues/connection.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shard, Shards } from '../queues/shards.js';
import { findDevices, findExactDevices } from './find-devices.js';
import { foldedText, indexValue, textOfIndexValue } from './index-entries.js';
import { traceFrom, summaryFrom } from './read-trace.js';
import { indexKey, journalPrefix, shortId, shortIdStart, traceKey } from './trace-keys.js';
import type { EventStatus, EventSummary, Trace } from './trace.js';
import { walkIndexes } from './walk-index.js';
import type { FoundEvent, IndexQuery, Position } from './walk-index.js';

/** Filters for a list of events. An event must fit all of them. */
export interface EventFilter {
  /** An event type or a pattern such as `device.*`. */
  readonly type?: string | undefined;
  /** A SimpleMDM device id or a serial number; or else a part of a serial number, a UDID or a device name. */
  readonly device?: string | undefined;
  /** A rule that ran for the event. */
  readonly rule?: string | undefined;
  readonly account?: string | undefined;
  /** The status of the event or of one of its runs. */
  readonly status?: EventStatus | undefined;
  /** An error code, or a part of the reason why the event or one of its runs waits, failed, or was skipped. */
  readonly reason?: string | undefined;
  /** Only events received at or after this time. */
  readonly since?: Date | undefined;
  /** Only events received at or before this time. */
  readonly until?: Date | undefined;
  /** From the previous page. */
  readonly cursor?: string | undefined;
  /** At most this many, 1 to 100. */
  readonly limit: number;
}

/** A page of events, newest first. */
export interface EventPage {
  readonly events: EventSummary[];
  /** For the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

const cursorPattern = /^(\d{1,16})-([0-9a-f]+)$/;

/** Whether a string has the form of a cursor. */
export function isCursor(text: string): boolean {
  return cursorPattern.test(text);
}

/** Finds events in the journal, newest first: all that fit, however far back they are. */
export async function findEvents(shards: Shards, filter: EventFilter): Promise<EventPage> {
  const from = positionOf(filter.cursor);
  const onlyExact = await namesDeviceExactly(shards, filter);
  const found = await fromAllShards(shards, (shard) => findInShard(shard, filter, from, onlyExact));
  found.sort((a, b) => comparePositions(a.position, b.position));
  const page = found.slice(0, filter.limit).flatMap(({ fields }) => summaryFrom(fields) ?? []);
  const last = page.at(-1);
  const isMore = found.length > filter.limit && last !== undefined;
  return { events: page, cursor: isMore ? `${Date.parse(last.receivedAt)}-${last.id}` : undefined };
}

/** Whether the filter names a device by its id or serial number: then a part of a name does not count, in any shard. */
async function namesDeviceExactly(shards: Shards, filter: EventFilter): Promise<boolean> {
  const { device } = filter;
  if (device === undefined || shards.all.length === 1) return false;
  const exact = await fromAllShards(shards, async (shard) =>
    findExactDevices(shard, device, await accountsOf(shard, filter)),
  );
  return exact.length > 0;
}

/** The accounts that a filter allows, encoded as in names of indexes. */
async function accountsOf({ redis, prefix }: Shard, { account }: EventFilter): Promise<string[]> {
  return account === undefined
    ? redis.smembers(`${journalPrefix(prefix)}values:account`)
    : [indexValue(account)];
}

function positionOf(cursor: string | undefined): Position | undefined {
  const parts = cursorPattern.exec(cursor ?? '');
  return parts === null ? undefined : { at: Number(parts[1]), id: shortId(parts[2] ?? '') };
}

function comparePositions(a: Position, b: Position): number {
  // Short ids are ASCII, so this is the order of Redis.
  return b.at - a.at || (a.id < b.id ? 1 : -1);
}

/** One more than the limit, so that the last page is known to be the last. */
async function findInShard(
  shard: Shard,
  filter: EventFilter,
  from: Position | undefined,
  onlyExact: boolean,
): Promise<FoundEvent[]> {
  const groups = await groupsOf(shard, filter, onlyExact);
  if (groups.indexes.some(({ sources }) => sources.length === 0)) return [];
  const range = { since: filter.since?.getTime(), until: filter.until?.getTime() };
  const { sources } = await smallestOf(shard, groups.indexes, range);
  const query: IndexQuery = {
    ...range,
    sources,
    // Walking an index proves what the index is about.
    groups: groups.indexes.flatMap((group) =>
      group.lines === undefined || (group.sources === sources && group.isExact)
        ? []
        : [{ field: group.field, lines: group.lines }],
    ),
    reason: groups.reason,
    device: groups.device,
    limit: filter.limit + 1,
  };
  return walkIndexes(shard, query, from);
}

/** What a filter asks for, in the words of the indexes. */
interface FilterGroups {
  readonly indexes: readonly IndexGroup[];
  readonly reason: string | undefined;
  readonly device: string | undefined;
}

interface IndexGroup {
  readonly field: string;
  /** The indexes that together have every event that fits. */
  readonly sources: readonly string[];
  /** What an event that fits has in its field `index`, one of them; undefined when it has nothing to check. */
  readonly lines: readonly string[] | undefined;
  /** Whether the indexes have only events that fit. */
  readonly isExact: boolean;
}

const exact = (field: string, names: readonly string[]): IndexGroup => ({
  field,
  sources: names,
  lines: names,
  isExact: true,
});

async function groupsOf(shard: Shard, filter: EventFilter, onlyExact: boolean): Promise<FilterGroups> {
  const { type, rule, account, status, reason } = filter;
  const accounts = await accountsOf(shard, filter);
  const device =
    filter.device === undefined ? undefined : await findDevices(shard, filter.device, accounts, onlyExact);
  const isCode = reason !== undefined && Object.hasOwn(ERRORS, reason);
  const accountIndexes = accounts.map((name) => `account:${name}`);
  const indexes: IndexGroup[] = [
    // Every event has an account, so the accounts together are all events.
    account === undefined
      ? { field: 'account', sources: accountIndexes, lines: undefined, isExact: true }
      : exact('account', accountIndexes),
    ...(type === undefined || type === '*' ? [] : [exact('type', await typesLike(shard, type))]),
    ...(rule === undefined ? [] : [exact('rule', [`rule:${indexValue(rule)}`])]),
    ...(status === undefined ? [] : [statusGroup(status)]),
    ...(device?.kind === 'indexes' ? [exact('device', device.names)] : []),
    ...(reason === undefined ? [] : [isCode ? exact('code', [`code:${reason}`]) : REASONS]),
  ];
  return {
    indexes,
    reason: reason === undefined || isCode ? undefined : foldedText(reason),
    device: device?.kind === 'many' ? device.text : undefined,
  };
}

/** The events with any reason. */
const REASONS: IndexGroup = { field: 'reason', sources: ['reason'], lines: undefined, isExact: true };

function statusGroup(status: EventStatus): IndexGroup {
  if (status !== 'queued' && status !== 'processing') return exact('status', [`status:${status}`]);
  // Both change within milliseconds, so they share an index.
  return { field: 'status', sources: ['status:open'], lines: [`.status:${status}`], isExact: false };
}

async function typesLike({ redis, prefix }: Shard, pattern: string): Promise<string[]> {
  if (!pattern.includes('*')) return [`type:${indexValue(pattern)}`];
  const types = await redis.smembers(`${journalPrefix(prefix)}values:type`);
  return types
    .filter((value) => matchesType(pattern, textOfIndexValue(value)))
    .map((value) => `type:${value}`);
}

/** The group whose indexes have the fewest events in the time range. */
async function smallestOf(
  { redis, prefix }: Shard,
  groups: readonly IndexGroup[],
  { since, until }: Pick<IndexQuery, 'since' | 'until'>,
): Promise<IndexGroup> {
  const [first, ...others] = groups;
  if (first === undefined) throw new RangeError('expected a group');
  if (others.length === 0) return first;
  const counts = await Promise.all(
    groups.map(async ({ sources }) => {
      const pipeline = redis.pipeline();
      for (const name of sources) pipeline.zcount(indexKey(prefix, name), since ?? '-inf', until ?? '+inf');
      return z
        .array(z.number())
        .parse(pipelineResults(await pipeline.exec()))
        .reduce((sum, count) => sum + count, 0);
    }),
  );
  return groups.reduce(
    (best, group, index) => ((counts[index] ?? 0) < (counts[groups.indexOf(best)] ?? 0) ? group : best),
    first,
  );
}

const hash = z.record(z.string(), z.string());

/**
 * The trace of an event.
 *
 * @param id - The id, or at least its first six characters when they match only one event.
 * @returns The trace; undefined when no event or more than one matches.
 */
export async function findTrace(shards: Shards, id: string): Promise<Trace | undefined> {
  const found = await findEventIds(shards, id);
  const [only] = found;
  if (only === undefined || found.length !== 1) return undefined;
  const traces = await fromAllShards(shards, async ({ redis, prefix }) => [
    traceFrom(hash.parse(await redis.hgetall(traceKey(prefix, only)))),
  ]);
  return traces.find((trace) => trace?.id === only);
}

/**
 * The ids of the events in the journal that start with these characters; none for fewer than six. A complete id is returned without a
 * look at the journal.
 */
export async function findEventIds(shards: Shards, start: string): Promise<string[]> {
  if (/^[0-9a-f]{64}$/.test(start)) return [start];
  if (!/^[0-9a-f]{6,63}$/.test(start)) return [];
  const ids = await fromAllShards(shards, (shard) => idsLike(shard, start));
  return ids.filter((id) => id.startsWith(start));
}

/** No two short ids of one start are in another order than their ids, so an index of all ids in order has them side by side. */
async function idsLike({ redis, prefix }: Shard, start: string): Promise<string[]> {
  const short = shortIdStart(start);
  // `~` is behind every character of a short id.
  const candidates = await redis.zrangebylex(`${journalPrefix(prefix)}ids`, `[${short}`, `[${short}~`);
  const events = await Promise.all(
    candidates.map((id) => redis.hget(`${journalPrefix(prefix)}trace:${id}`, 'event')),
  );
  return events.flatMap((text) => (text === null ? [] : [eventSchema.parse(JSON.parse(text)).id]));
}
