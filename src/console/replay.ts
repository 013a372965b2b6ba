import { createHash, randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import type { Journal } from '../journal/journal.js';
import { enqueueEvents } from '../coordination/enqueue-events.js';
import type { RunTrace, Trace } from '../journal/trace.js';
import { KEY_PREFIX } from '../queues/connection.js';
import type { EventJob, RunJob } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';

/** Where replays go. */
export interface ReplayOptions {
  readonly redis: Redis;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly journal: Journal;
}

/** What a replay did. */
export type Replay =
  /** Dead letters were put back: the event itself, or runs that go on at the step that failed. Neither, when the queue has them no more. */
  | {
      readonly kind: 'resumed';
      readonly id: string;
      readonly event: boolean;
      readonly rules: readonly string[];
    }
  /** The event was taken once more, as a new one: every rule is considered again. */
  | { readonly kind: 'repeated'; readonly id: string }
  /** Nothing: the event is still being worked on, perhaps by a replay of a moment ago. */
  | { readonly kind: 'under_way'; readonly id: string }
  /** Nothing: nothing failed, and doing everything once more has to be asked for. */
  | { readonly kind: 'nothing_failed'; readonly id: string };

/** A replay takes milliseconds; should its process die, the next may begin after this long. */
const LOCK_S = 30;

/**
 * Replays an event that has come to rest. What failed goes on where it failed, so that nothing is done twice; only when everything
 * is asked for is the event taken once more as a new one.
 */
export async function replay(trace: Trace, everything: boolean, options: ReplayOptions): Promise<Replay> {
  const underWay: Replay = { kind: 'under_way', id: trace.id };
  const lock = `${KEY_PREFIX}:replay:${trace.id}`;
  // Two clicks at the same moment are one replay.
  if ((await options.redis.set(lock, '1', 'EX', LOCK_S, 'NX')) === null) return underWay;
  try {
    const failedRuns = trace.runs.filter((run) => run.status === 'failed');
    const eventFailed = trace.processing?.state === 'failed';
    if (!everything && (failedRuns.length > 0 || eventFailed)) {
      return await resume(trace, failedRuns, eventFailed, options);
    }
    const atRest = trace.status === 'completed' || trace.status === 'no_match' || trace.status === 'failed';
    if (!atRest) return underWay;
    return everything ? await repeat(trace, options) : { kind: 'nothing_failed', id: trace.id };
  } finally {
    await options.redis.del(lock);
  }
}

async function resume(
  trace: Trace,
  failedRuns: readonly RunTrace[],
  eventFailed: boolean,
  options: ReplayOptions,
): Promise<Replay> {
  const { id } = trace;
  const rules: string[] = [];
  let busy = false;
  for (const run of failedRuns) {
    const found = await resumeRun(id, run, options);
    if (found === 'resumed') rules.push(run.rule);
    busy ||= found === 'busy';
  }
  const found = eventFailed ? await resumeEvent(trace, options) : 'gone';
  busy ||= found === 'busy';
  const event = found === 'resumed';
  return busy && !event && rules.length === 0
    ? { kind: 'under_way', id }
    : { kind: 'resumed', id, event, rules };
}

/** `busy`: it is being worked on already. `gone`: the queue has it no more. */
type Resumed = 'resumed' | 'busy' | 'gone';

async function resumeRun(eventId: string, run: RunTrace, { runs, journal }: ReplayOptions): Promise<Resumed> {
  const job = await runs.getJob(runId(eventId, run.rule));
  if (job === undefined) return 'gone';
  if (!(await job.isFailed())) return 'busy';
  const { admitted: _admitted, waitsFor: _waitsFor, goneSince: _goneSince, ...kept } = job.data;
  await job.updateData({
    ...kept,
    replays: (kept.replays ?? 0) + 1,
    replayedAt: new Date().toISOString(),
  });
  const { reason: _reason, finishedAt: _finishedAt, ...queued } = run;
  await journal.recordRun(eventId, { ...queued, status: 'queued' });
  try {
    await job.retry('failed', { resetAttemptsMade: true });
  } catch (error) {
    // It must stay visible as what it is, and replayable.
    await journal.recordRun(eventId, run);
    throw error;
  }
  return 'resumed';
}

async function resumeEvent({ id, processing }: Trace, { events, journal }: ReplayOptions): Promise<Resumed> {
  const job = await events.getJob(id);
  if (processing === undefined || job === undefined) return 'gone';
  if (!(await job.isFailed())) return 'busy';
  await journal.recordProcessing(id, {
    state: 'waiting',
    attempts: 0,
    at: new Date().toISOString(),
    reason: 'replayed',
  });
  try {
    await job.retry('failed', { resetAttemptsMade: true });
  } catch (error) {
    await journal.recordProcessing(id, processing);
    throw error;
  }
  return 'resumed';
}

async function repeat(
  { id, account, type, at, data, source, repeatedSource = source }: Trace,
  { redis, events, journal }: ReplayOptions,
): Promise<Replay> {
  const repeated: Event = {
    // Not the fingerprint of the original: the queue would drop it as a repeat.
    id: createHash('sha256').update(`replay of ${id} ${randomUUID()}`).digest('hex'),
    account,
    type,
    at,
    data,
    receivedAt: new Date().toISOString(),
    source: 'replay',
    repeatedSource,
  };
  await enqueueEvents([repeated], { redis, queue: events, journal });
  return { kind: 'repeated', id: repeated.id };
}
