import { z } from 'zod';
import { event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { matchesType } from '../rules/model/event-pattern.js';
import { pipelineResults } from '../queues/connection.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shard, Shards } from '../queues/shards.js';
import { ALERT_FIELD, RUN_FIELD, factsKey, indexKey, traceKey } from './trace-keys.js';
import { alertTrace, factTrace, processingTrace, ruleTrace, runTrace, statusOf } from './trace.js';
import type { EventStatus, EventSummary, FactTrace, ProcessingTrace, RunTrace, Trace } from './trace.js';

/** Filters for a list of events. */
export interface EventFilter {
  /** An event type or a pattern such as `device.*`. */
  readonly type?: string | undefined;
  /** A SimpleMDM device id, a serial number or a UDID. */
  readonly device?: string | undefined;
  /** A rule that ran for the event. */
  readonly rule?: string | undefined;
  readonly account?: string | undefined;
  /** The status of the event or of one of its runs. */
  readonly status?: EventStatus | undefined;
  /** Only events received at or after this time. */
  readonly since?: Date | undefined;
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

const BATCH = 200;
/** A request scans at most this many events and returns a cursor, so that a filter with few matches does not keep Redis busy. */
const MAX_SCANNED = 5000;

const cursorPattern = /^(\d+)-([0-9a-f]+)$/;

/** Whether a string has the form of a cursor. */
export function isCursor(text: string): boolean {
  return cursorPattern.test(text);
}

/** Finds events in the journal, newest first. */
export async function findEvents(shards: Shards, filter: EventFilter): Promise<EventPage> {
  const pages = await Promise.all(shards.all.map((shard) => findEventsOfShard(shard, filter)));
  const [page] = pages;
  if (page !== undefined && pages.length === 1) return page;
  return joinPages(pages, filter.limit);
}

/** The newest events of several pages. The cursor names the last event of the page, whatever shard it is in. */
function joinPages(pages: readonly EventPage[], limit: number): EventPage {
  const all = pages
    .flatMap((page) => page.events)
    .sort((a, b) => b.receivedAt.localeCompare(a.receivedAt) || (a.id < b.id ? 1 : -1));
  const events = all.slice(0, limit);
  const last = events.at(-1);
  const isMore = all.length > limit || pages.some((page) => page.cursor !== undefined);
  const cursor = isMore && last !== undefined ? `${Date.parse(last.receivedAt)}-${last.id}` : undefined;
  return { events, cursor };
}

async function findEventsOfShard(shard: Shard, filter: EventFilter): Promise<EventPage> {
  const events: EventSummary[] = [];
  let position = positionOf(filter.cursor);
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += BATCH) {
    const entries = await entriesAfter(shard, position, filter.since);
    const traces = await tracesOf(
      shard,
      entries.map((entry) => entry.id),
      false,
    );
    for (const [index, entry] of entries.entries()) {
      const found = traces[index];
      position = entry;
      if (found === undefined || !matches(found, filter)) continue;
      events.push(found);
      if (events.length === filter.limit)
        return { events: await withNames(shard, events), cursor: `${entry.score}-${entry.id}` };
    }
    if (entries.length < BATCH) return { events: await withNames(shard, events), cursor: undefined };
  }
  return {
    events: await withNames(shard, events),
    cursor: position === undefined ? undefined : `${position.score}-${position.id}`,
  };
}

/** Adds the names of devices. Facts are large, so only the device fact of the listed events is read. */
async function withNames({ redis, prefix }: Shard, events: readonly EventSummary[]): Promise<EventSummary[]> {
  const pipeline = redis.pipeline();
  for (const { id } of events) pipeline.hget(factsKey(prefix, id), 'device');
  const facts = pipelineResults(await pipeline.exec());
  return events.map((event, index) => {
    const fact = facts[index];
    const name = typeof fact === 'string' ? nameOf(factTrace.parse(JSON.parse(fact))) : undefined;
    return name === undefined ? event : { ...event, deviceName: name };
  });
}

const named = z.object({ name: z.string().min(1) });

/** The name of a device from its fact. */
function nameOf(device: FactTrace | undefined): string | undefined {
  return named.safeParse(device?.value).data?.name;
}

/**
 * The trace of an event.
 *
 * @param id - The id, or at least its first six characters when they match only one event.
 * @returns The trace; undefined when no event or more than one matches.
 */
export async function findTrace(shards: Shards, id: string): Promise<Trace | undefined> {
  const found = await findEventIds(shards, id);
  if (found.length !== 1) return undefined;
  const traces = await fromAllShards(shards, (shard) => tracesOf(shard, found, true));
  return traces.find((trace) => trace !== undefined);
}

interface Entry {
  readonly id: string;
  readonly score: number;
}

function positionOf(cursor: string | undefined): Entry | undefined {
  const parts = cursorPattern.exec(cursor ?? '');
  return parts === null ? undefined : { score: Number(parts[1]), id: parts[2] ?? '' };
}

async function entriesAfter(
  { redis, prefix }: Shard,
  position: Entry | undefined,
  since: Date | undefined,
): Promise<Entry[]> {
  const from = position?.score ?? '+inf';
  const to = since?.getTime() ?? '-inf';
  let offset = 0;
  if (position !== undefined) {
    // Redis orders events of the same millisecond by id, the greatest first.
    const sameTime = await redis.zrevrangebyscore(indexKey(prefix), position.score, position.score);
    offset = sameTime.filter((id) => id >= position.id).length;
  }
  const flat = await redis.zrevrangebyscore(indexKey(prefix), from, to, 'WITHSCORES', 'LIMIT', offset, BATCH);
  return flat.flatMap((id, index) => (index % 2 === 0 ? [{ id, score: Number(flat[index + 1]) }] : []));
}

/**
 * The ids of the events in the journal that start with this prefix; none for a prefix of fewer than six characters. A complete id is
 * returned without a look at the journal.
 */
export async function findEventIds(shards: Shards, start: string): Promise<string[]> {
  if (/^[0-9a-f]{64}$/.test(start)) return [start];
  if (!/^[0-9a-f]{6,63}$/.test(start)) return [];
  const ids = await fromAllShards(shards, ({ redis, prefix }) => redis.zrange(indexKey(prefix), '0', '-1'));
  return ids.filter((id) => id.startsWith(start));
}

const hash = z.record(z.string(), z.string());

async function tracesOf(
  { redis, prefix }: Shard,
  ids: readonly string[],
  withFacts: boolean,
): Promise<(Trace | undefined)[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) {
    pipeline.hgetall(traceKey(prefix, id));
    if (withFacts) pipeline.hgetall(factsKey(prefix, id));
  }
  const results = pipelineResults(await pipeline.exec()).map((result) => hash.parse(result));
  const step = withFacts ? 2 : 1;
  return ids.map((_id, index) =>
    traceFrom(results[index * step] ?? {}, withFacts ? (results[index * step + 1] ?? {}) : {}),
  );
}

function traceFrom(fields: Record<string, string>, facts: Record<string, string>): Trace | undefined {
  // The trace has expired before its entry in the index.
  if (fields['event'] === undefined) return undefined;
  const envelope = event.parse(JSON.parse(fields['event']));
  const processing =
    fields['processing'] === undefined ? undefined : processingTrace.parse(JSON.parse(fields['processing']));
  const runs = Object.entries(fields)
    .filter(([name]) => name.startsWith(RUN_FIELD))
    .map(([, value]) => runTrace.parse(JSON.parse(value)))
    .sort((a, b) => a.plannedAt.localeCompare(b.plannedAt) || a.rule.localeCompare(b.rule));
  const decisions =
    fields['decisions'] === undefined ? [] : z.array(ruleTrace).parse(JSON.parse(fields['decisions']));
  const factTraces = Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, factTrace.parse(JSON.parse(value))]),
  );
  const status = statusOf(processing, runs);
  const problem = reasonOf(processing, runs);
  const ownAction = status === 'no_match' && decisions.some((decision) => decision.ownAction === true);
  const deviceName = nameOf(factTraces['device']);
  return {
    ...envelope,
    status,
    rules: runs.map((run) => run.rule),
    ...problem,
    ...(ownAction && { ownAction }),
    ...(deviceName !== undefined && { deviceName }),
    ...(processing && { processing }),
    facts: factTraces,
    decisions,
    runs,
    alerts: Object.entries(fields)
      .filter(([name]) => name.startsWith(ALERT_FIELD))
      .map(([, value]) => alertTrace.parse(JSON.parse(value)))
      .sort((a, b) => a.id.localeCompare(b.id) || a.channel.localeCompare(b.channel)),
  };
}

/** Why an event or its runs wait or failed: the worst reason, and how many more there are. */
function reasonOf(
  processing: ProcessingTrace | undefined,
  runs: readonly RunTrace[],
): Pick<EventSummary, 'reason' | 'code'> {
  const withReason = runs.filter((run) => run.reason !== undefined);
  const failed = withReason.find(({ status }) => status === 'failed');
  if (processing?.reason !== undefined && (processing.state === 'failed' || failed === undefined))
    return { reason: processing.reason, code: processing.code };
  const worst = failed ?? withReason.find(({ status }) => status === 'waiting') ?? withReason[0];
  if (worst?.reason === undefined) return {};
  const more = withReason.length === 1 ? '' : ` (and ${withReason.length - 1} more)`;
  return { reason: `rule ${worst.rule}: ${worst.reason}${more}`, code: worst.code };
}

/** The status of an event and of each of its parts, so that a filter finds a waiting run whatever its siblings did. */
function statusesOf({ status, processing, runs }: Trace): ReadonlySet<EventStatus> {
  const ofProcessing = processing === undefined || processing.state === 'completed' ? [] : [processing.state];
  const ofRuns = runs.map((run) => (run.status === 'running' ? 'processing' : run.status));
  return new Set([status, ...ofProcessing, ...ofRuns]);
}

function matches(found: Trace, { type, device, rule, account, status }: EventFilter): boolean {
  if (type !== undefined && !matchesType(type, found.type)) return false;
  if (rule !== undefined && !found.rules.includes(rule)) return false;
  if (account !== undefined && found.account !== account) return false;
  if (status !== undefined && !statusesOf(found).has(status)) return false;
  if (device === undefined) return true;
  const about = deviceReferenceOf(found);
  return about !== undefined && [String(about.id), about.serialNumber, about.udid].includes(device);
}
