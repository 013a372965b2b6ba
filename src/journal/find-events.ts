import type { Redis } from 'ioredis';
import { z } from 'zod';
import { event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { matchesType } from '../rules/model/event-pattern.js';
import { pipelineResults } from '../queues/connection.js';
import { ALERT_FIELD, INDEX_KEY, RUN_FIELD, factsKey, traceKey } from './trace-keys.js';
import { alertTrace, factTrace, processingTrace, ruleTrace, runTrace, statusOf } from './trace.js';
import type { EventStatus, EventSummary, FactTrace, ProcessingTrace, RunTrace, Trace } from './trace.js';

/** What narrows a list of events. */
export interface EventFilter {
  /** An event type or a pattern such as `device.*`. */
  readonly type?: string | undefined;
  /** A SimpleMDM device id or a serial number. */
  readonly device?: string | undefined;
  /** A rule that ran for the event. */
  readonly rule?: string | undefined;
  readonly account?: string | undefined;
  /** That of the event, or of one of its runs. */
  readonly status?: EventStatus | undefined;
  /** Only events received at or after this time. */
  readonly since?: Date | undefined;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
  /** At most this many, 1 to 100. */
  readonly limit: number;
}

/** A page of events, the newest first. */
export interface EventPage {
  readonly events: EventSummary[];
  /** Hand it back to get the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

const BATCH = 200;
/** One request looks through this many events at most and hands out a cursor, so that a rare filter cannot keep Redis busy. */
const MOST_SCANNED = 5000;

const cursorForm = /^(\d+)-([0-9a-f]+)$/;

/** Whether a text is a cursor of ours. */
export function isCursor(text: string): boolean {
  return cursorForm.test(text);
}

/** Finds events in the journal, the newest first. */
export async function findEvents(redis: Redis, filter: EventFilter): Promise<EventPage> {
  const events: EventSummary[] = [];
  let position = positionOf(filter.cursor);
  for (let scanned = 0; scanned < MOST_SCANNED; scanned += BATCH) {
    const entries = await entriesBehind(redis, position, filter.since);
    const traces = await tracesOf(
      redis,
      entries.map((entry) => entry.id),
      false,
    );
    for (const [index, entry] of entries.entries()) {
      const found = traces[index];
      position = entry;
      if (found === undefined || !passes(found, filter)) continue;
      events.push(found);
      if (events.length === filter.limit)
        return { events: await withNames(redis, events), cursor: `${entry.score}-${entry.id}` };
    }
    if (entries.length < BATCH) return { events: await withNames(redis, events), cursor: undefined };
  }
  return {
    events: await withNames(redis, events),
    cursor: position === undefined ? undefined : `${position.score}-${position.id}`,
  };
}

/** Facts are large, so only those of the events that are handed out are read, and of them that of the device. */
async function withNames(redis: Redis, events: readonly EventSummary[]): Promise<EventSummary[]> {
  const pipeline = redis.pipeline();
  for (const { id } of events) pipeline.hget(factsKey(id), 'device');
  const facts = pipelineResults(await pipeline.exec());
  return events.map((event, index) => {
    const fact = facts[index];
    const name = typeof fact === 'string' ? nameOf(factTrace.parse(JSON.parse(fact))) : undefined;
    return name === undefined ? event : { ...event, deviceName: name };
  });
}

const named = z.object({ name: z.string().min(1) });

/** What a device is called, as its fact says. */
function nameOf(device: FactTrace | undefined): string | undefined {
  return named.safeParse(device?.value).data?.name;
}

/**
 * The trace of an event.
 *
 * @param id - The whole id, or its first characters (at least six) when they fit only one event.
 * @returns The trace; undefined when there is none or more than one.
 */
export async function findTrace(redis: Redis, id: string): Promise<Trace | undefined> {
  const whole = /^[0-9a-f]{64}$/.test(id) ? id : await completeId(redis, id);
  return whole === undefined ? undefined : (await tracesOf(redis, [whole], true))[0];
}

interface Entry {
  readonly id: string;
  readonly score: number;
}

function positionOf(cursor: string | undefined): Entry | undefined {
  const parts = cursorForm.exec(cursor ?? '');
  return parts === null ? undefined : { score: Number(parts[1]), id: parts[2] ?? '' };
}

async function entriesBehind(
  redis: Redis,
  position: Entry | undefined,
  since: Date | undefined,
): Promise<Entry[]> {
  const from = position?.score ?? '+inf';
  const to = since?.getTime() ?? '-inf';
  let offset = 0;
  if (position !== undefined) {
    // Events of the same millisecond stand in order of their ids, the greatest first.
    const sameTime = await redis.zrevrangebyscore(INDEX_KEY, position.score, position.score);
    offset = sameTime.filter((id) => id >= position.id).length;
  }
  const flat = await redis.zrevrangebyscore(INDEX_KEY, from, to, 'WITHSCORES', 'LIMIT', offset, BATCH);
  return flat.flatMap((id, index) => (index % 2 === 0 ? [{ id, score: Number(flat[index + 1]) }] : []));
}

async function completeId(redis: Redis, start: string): Promise<string | undefined> {
  if (!/^[0-9a-f]{6,63}$/.test(start)) return undefined;
  const found = (await redis.zrange(INDEX_KEY, '0', '-1')).filter((id) => id.startsWith(start));
  return found.length === 1 ? found[0] : undefined;
}

const hash = z.record(z.string(), z.string());

async function tracesOf(
  redis: Redis,
  ids: readonly string[],
  withFacts: boolean,
): Promise<(Trace | undefined)[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) {
    pipeline.hgetall(traceKey(id));
    if (withFacts) pipeline.hgetall(factsKey(id));
  }
  const results = pipelineResults(await pipeline.exec()).map((result) => hash.parse(result));
  const step = withFacts ? 2 : 1;
  return ids.map((_id, index) =>
    traceFrom(results[index * step] ?? {}, withFacts ? (results[index * step + 1] ?? {}) : {}),
  );
}

function traceFrom(fields: Record<string, string>, facts: Record<string, string>): Trace | undefined {
  // An entry of the index whose trace has expired.
  if (fields['event'] === undefined) return undefined;
  const about = event.parse(JSON.parse(fields['event']));
  const processing =
    fields['processing'] === undefined ? undefined : processingTrace.parse(JSON.parse(fields['processing']));
  const runs = Object.entries(fields)
    .filter(([name]) => name.startsWith(RUN_FIELD))
    .map(([, value]) => runTrace.parse(JSON.parse(value)))
    .sort((a, b) => a.plannedAt.localeCompare(b.plannedAt) || a.rule.localeCompare(b.rule));
  const decisions =
    fields['decisions'] === undefined ? [] : z.array(ruleTrace).parse(JSON.parse(fields['decisions']));
  const found = Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, factTrace.parse(JSON.parse(value))]),
  );
  const status = statusOf(processing, runs);
  const reason = reasonOf(processing, runs);
  const ownAction = status === 'no_match' && decisions.some((decision) => decision.ownAction === true);
  const deviceName = nameOf(found['device']);
  return {
    ...about,
    status,
    rules: runs.map((run) => run.rule),
    ...(reason !== undefined && { reason }),
    ...(ownAction && { ownAction }),
    ...(deviceName !== undefined && { deviceName }),
    ...(processing && { processing }),
    facts: found,
    decisions,
    runs,
    alerts: Object.entries(fields)
      .filter(([name]) => name.startsWith(ALERT_FIELD))
      .map(([, value]) => alertTrace.parse(JSON.parse(value)))
      .sort((a, b) => a.id.localeCompare(b.id) || a.channel.localeCompare(b.channel)),
  };
}

/** What keeps an event or its runs; the worst speaks for the others. */
function reasonOf(processing: ProcessingTrace | undefined, runs: readonly RunTrace[]): string | undefined {
  const told = runs.filter((run) => run.reason !== undefined);
  const failed = told.find(({ status }) => status === 'failed');
  if (processing?.reason !== undefined && (processing.state === 'failed' || failed === undefined))
    return processing.reason;
  const worst = failed ?? told.find(({ status }) => status === 'waiting') ?? told[0];
  if (worst?.reason === undefined) return undefined;
  return `rule ${worst.rule}: ${worst.reason}${told.length === 1 ? '' : ` (and ${told.length - 1} more)`}`;
}

/** Every status that an event has in one of its parts: a run that waits is found, whatever became of the others. */
function statusesOf({ status, processing, runs }: Trace): ReadonlySet<EventStatus> {
  const ofProcessing = processing === undefined || processing.state === 'done' ? [] : [processing.state];
  const ofRuns = runs.map((run) => (run.status === 'running' ? 'processing' : run.status));
  return new Set([status, ...ofProcessing, ...ofRuns]);
}

function passes(found: Trace, { type, device, rule, account, status }: EventFilter): boolean {
  if (type !== undefined && !matchesType(type, found.type)) return false;
  if (rule !== undefined && !found.rules.includes(rule)) return false;
  if (account !== undefined && found.account !== account) return false;
  if (status !== undefined && !statusesOf(found).has(status)) return false;
  if (device === undefined) return true;
  const about = deviceReferenceOf(found);
  return about !== undefined && (String(about.id) === device || about.serialNumber === device);
}
