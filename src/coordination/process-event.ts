import type { Queue } from 'bullmq';
import { z } from 'zod';
import type { Event, EventCause } from '../events/envelope.js';
import { traceWriting } from '../journal/journal.js';
import { startTraceArgs } from '../journal/index-entries.js';
import { JOURNAL_LUA } from '../journal/index-lua.js';
import { knownTraceFrom, traceWriteArgs } from '../journal/trace-changes.js';
import type { KnownTrace, TraceChanges } from '../journal/trace-changes.js';
import { journalPrefix, traceKey } from '../journal/trace-keys.js';
import type { ProcessingTrace } from '../journal/trace.js';
import { unfinishedJobState } from '../queues/job-state.js';
import type { JobRetry } from '../queues/job-outcome.js';
import type { EventJob, Lane, RunJob } from '../queues/jobs.js';
import type { JobPlace } from '../queues/job-handle.js';
import { ADD_JOB_LUA } from '../queues/add-job.js';
import { ARRIVAL_ORDER_LUA } from './arrival-order.js';
import { LEAVE_WINDOW_LUA, openBacklog } from './backlog.js';
import { BACKLOG_LUA } from './backlog-script.js';
import { ENQUEUE_RUNS_LUA, runsPart } from './enqueue-runs.js';
import type { RunTarget } from './enqueue-runs.js';
import { EVENTS, wakeJob } from '../queues/queues.js';
import type { RetentionDays } from '../queues/retention.js';
import { TAKE_PART_LUA, joinedParts } from '../queues/script-parts.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import type { Redaction } from '../telemetry/redaction.js';
import { waitForEarlierEvent } from './earlier-events.js';
import { EVENT_CAUSES_LUA, causeFrom, causePart } from './event-causes.js';
import { EVENT_ORDER_LUA, eventOrderPart, eventOrderPlace, removeEvent } from './event-order.js';
import { raiseEarlierJobs } from './raise-earlier-jobs.js';

/*
 * What Redis does for an attempt at an event, in two round trips: one before the rules are evaluated, and one after.
 */

/** Where the state of events is. */
export interface EventStore {
  readonly shard: Shard;
  readonly events: Queue<EventJob>;
  readonly retention: RetentionDays;
  readonly redaction: Pick<Redaction, 'redact'>;
}

/** What an attempt at an event begins with. */
export type EventStart =
  /** An earlier event of the device is not processed. */
  | { readonly kind: 'waits'; readonly retry: JobRetry }
  /** It was processed, and its trace is trimmed. A worker died before it could end the job. */
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'begun';
      /** The action that caused the event, if any. Every attempt and replay gets the same cause. */
      readonly cause: EventCause | undefined;
      readonly known: KnownTrace;
    };

/** KEYS: trace. ARGV: the parts. */
const BEGIN = defineScript(`${JOURNAL_LUA}${EVENT_ORDER_LUA}${EVENT_CAUSES_LUA}${TAKE_PART_LUA}
local take_part = parts_from(1)
local order, cause, start, write = take_part(), take_part(), take_part(), take_part()
if order[1] then
  local earlier = earlier_event(order)
  if earlier ~= '' then return { 'waits', earlier, {} } end
end
local prefix = start[1]
-- Only finished events are trimmed. Without its trace, an event would lead to the same runs once more.
if redis.call('ZSCORE', prefix .. 'seen', start[2]) then return { 'ended', '', {} } end
journal_start(prefix, start, 2, 0, false)
journal_write(prefix, write, 1)
return { 'begun', cause[1] and cause_of(cause) or '', journal_known(prefix, start[2]) }`);

const beginReply = z.tuple([z.enum(['waits', 'ended', 'begun']), z.string(), z.unknown()]);

/**
 * Begins an attempt at an event: makes sure that it has a trace, because its receiver may have died right after it enqueued the event, and
 * records the attempt. An event waits until the earlier events of its device are processed; these are in its lane then.
 */
export async function beginEvent(
  event: Event,
  processing: ProcessingTrace,
  lane: Lane,
  { shard, events, retention, redaction }: EventStore,
): Promise<EventStart> {
  const { redis, prefix } = shard;
  const parts = joinedParts([
    eventOrderPart(prefix, event),
    causePart(prefix, event, retention),
    [journalPrefix(prefix), ...startTraceArgs(event)],
    traceWriteArgs(event.id, { processing }, traceWriting(retention, redaction.redact)),
  ]);
  for (;;) {
    const reply = beginReply.parse(await runScript(redis, BEGIN, [traceKey(prefix, event.id)], parts));
    const [kind, text, known] = reply;
    if (kind === 'ended') return { kind };
    if (kind === 'begun') return { kind, cause: causeFrom(text), known: knownTraceFrom(known) };
    const state = await unfinishedJobState(events, text);
    if (state !== undefined) {
      const { order } = eventOrderPlace(prefix, event);
      if (lane === 'interactive' && order !== undefined)
        await raiseEarlierJobs(shard, openBacklog(shard, EVENTS), order, event.id);
      return { kind, retry: waitForEarlierEvent(event, state) };
    }
    // No worker will process an event whose job is gone.
    await removeEvent(shard, event, text);
  }
}

/** What an attempt at an event ends with. */
export interface EventEnd {
  /** What the trace says. */
  readonly changes: TraceChanges;
  /** The runs that the event leads to. A run that was enqueued before is not enqueued again. */
  readonly jobs: readonly RunJob[];
  /** Whether later events of the device need not wait any more. The next one is woken. */
  readonly leavesOrder: boolean;
  /** The place of the job in its window, when the job ends. */
  readonly place: JobPlace | undefined;
}

/**
 * The jobs before the trace: a run in the trace counts as enqueued. The window last: the next job may be one that was just enqueued. KEYS:
 * trace. ARGV: prefix of the journal, then the parts.
 */
const FINISH = defineScript(`
${JOURNAL_LUA}${EVENT_ORDER_LUA}${TAKE_PART_LUA}${ADD_JOB_LUA}${ARRIVAL_ORDER_LUA}${BACKLOG_LUA}${ENQUEUE_RUNS_LUA}${LEAVE_WINDOW_LUA}
local take_part = parts_from(2)
local order, runs, write, place = take_part(), take_part(), take_part(), take_part()
if runs[1] then enqueue_runs(runs, KEYS[1]) end
journal_write(ARGV[1], write, 1)
local next = order[1] and leave_event_order(order) or ''
if place[1] then leave_window(place) end
return next`);

/** Ends an attempt at an event: enqueues its runs and records what it has found out. */
export async function finishEvent(
  event: Event,
  { changes, jobs, leavesOrder, place }: EventEnd,
  store: EventStore & RunTarget,
): Promise<void> {
  const { shard, events, retention, redaction } = store;
  const { redis, prefix } = shard;
  const parts = [
    leavesOrder ? eventOrderPart(prefix, event) : [],
    runsPart(jobs, store),
    traceWriteArgs(event.id, changes, traceWriting(retention, redaction.redact)),
    place?.part ?? [],
  ];
  const values = [journalPrefix(prefix), ...joinedParts(parts)];
  const next = await runScript(redis, FINISH, [traceKey(prefix, event.id)], values);
  place?.left();
  if (typeof next === 'string' && next !== '') await wakeJob(events, next);
}
