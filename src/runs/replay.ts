import { createHash, randomUUID } from 'node:crypto';
import type { Event } from '../events/envelope.js';
import { enqueueEvents } from '../coordination/enqueue-events.js';
import type { ShardStore } from '../coordination/shard-stores.js';
import type { RunTrace, Trace } from '../journal/trace.js';
import { inLane, priorityOf } from '../queues/jobs.js';
import type { Lane } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';

/** What a replay reads and writes: the store of the account. */
export type ReplayOptions = Pick<ShardStore, 'shard' | 'events' | 'runs' | 'journal'>;

/** The result of a replay. */
export type Replay =
  /** Dead letters were queued again: the event, or runs, which resume at the failed step. Neither when the queue no longer has them. */
  | {
      readonly kind: 'resumed';
      readonly id: string;
      readonly event: boolean;
      readonly rules: readonly string[];
    }
  /** A copy of the event was enqueued as a new event, and all rules evaluate it again. */
  | { readonly kind: 'repeated'; readonly id: string }
  /** Nothing happened: the event is still being processed, or another replay is running. */
  | { readonly kind: 'in_progress'; readonly id: string }
  /** Nothing happened: nothing failed, and `everything` was not set. */
  | { readonly kind: 'nothing_failed'; readonly id: string };

/** How to replay an event. */
export interface ReplayMode {
  /** Enqueues a copy as a new event instead of resuming what failed. */
  readonly everything: boolean;
  /** `interactive` for a person who asks for one event, `bulk` for a replay of many. Whatever the lane of the event was. */
  readonly lane: Lane;
}

/** Bounds the lock in seconds, in case the process dies during a replay, which takes milliseconds. */
const LOCK_TTL_S = 30;

/**
 * Replays an event whose runs have ended. Failed runs resume at the failed step, so that no step runs twice.
 */
export async function replay(
  trace: Trace,
  { everything, lane }: ReplayMode,
  options: ReplayOptions,
): Promise<Replay> {
  const inProgress: Replay = { kind: 'in_progress', id: trace.id };
  const lock = `${options.shard.prefix}:replay:${trace.id}`;
  // Two clicks at the same moment start one replay.
  if ((await options.shard.redis.set(lock, '1', 'EX', LOCK_TTL_S, 'NX')) === null) return inProgress;
  try {
    const failedRuns = trace.runs.filter((run) => run.status === 'failed');
    const eventFailed = trace.processing?.state === 'failed';
    if (!everything && (failedRuns.length > 0 || eventFailed)) {
      return await resume(trace, failedRuns, eventFailed, lane, options);
    }
    const hasEnded = trace.status === 'completed' || trace.status === 'no_match' || trace.status === 'failed';
    if (!hasEnded) return inProgress;
    return everything ? await repeat(trace, lane, options) : { kind: 'nothing_failed', id: trace.id };
  } finally {
    await options.shard.redis.del(lock);
  }
}

async function resume(
  trace: Trace,
  failedRuns: readonly RunTrace[],
  eventFailed: boolean,
  lane: Lane,
  options: ReplayOptions,
): Promise<Replay> {
  const { id } = trace;
  const rules: string[] = [];
  let busy = false;
  for (const run of failedRuns) {
    const result = await resumeRun(id, run, lane, options);
    if (result === 'resumed') rules.push(run.rule);
    busy ||= result === 'busy';
  }
  const result = eventFailed ? await resumeEvent(trace, lane, options) : 'gone';
  busy ||= result === 'busy';
  const event = result === 'resumed';
  return busy && !event && rules.length === 0
    ? { kind: 'in_progress', id }
    : { kind: 'resumed', id, event, rules };
}

/** `busy`: the job is already queued or processed. `gone`: the queue no longer has the job. */
type ResumeResult = 'resumed' | 'busy' | 'gone';

async function resumeRun(
  eventId: string,
  run: RunTrace,
  lane: Lane,
  { runs, journal }: ReplayOptions,
): Promise<ResumeResult> {
  const job = await runs.getJob(runId(eventId, run.rule));
  if (job === undefined) return 'gone';
  if (!(await job.isFailed())) return 'busy';
  const {
    lane: _lane,
    admitted: _admitted,
    waitReason: _waitReason,
    ruleMissingSince: _since,
    ...kept
  } = job.data;
  await job.updateData({
    ...kept,
    ...inLane(lane),
    replays: (kept.replays ?? 0) + 1,
    replayedAt: new Date().toISOString(),
  });
  await job.changePriority({ priority: priorityOf(lane) });
  const { reason: _reason, code: _code, finishedAt: _finishedAt, ...queued } = run;
  await journal.recordRun(eventId, { ...queued, status: 'queued' });
  try {
    await job.retry('failed', { resetAttemptsMade: true });
  } catch (error) {
    // Restore the failed run, so that it stays visible and can be replayed.
    await journal.recordRun(eventId, run);
    throw error;
  }
  return 'resumed';
}

async function resumeEvent(
  { id, processing }: Trace,
  lane: Lane,
  { events, journal }: ReplayOptions,
): Promise<ResumeResult> {
  const job = await events.getJob(id);
  if (processing === undefined || job === undefined) return 'gone';
  if (!(await job.isFailed())) return 'busy';
  const { lane: _lane, ...kept } = job.data;
  await job.updateData({ ...kept, ...inLane(lane) });
  await job.changePriority({ priority: priorityOf(lane) });
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
  { id, account, type, at, data, warnings, original, source, originalSource = source }: Trace,
  lane: Lane,
  { shard, events, journal }: ReplayOptions,
): Promise<Replay> {
  const copy: Event = {
    // The queue would drop the fingerprint of the original as a duplicate.
    id: createHash('sha256').update(`replay of ${id} ${randomUUID()}`).digest('hex'),
    account,
    type,
    at,
    data,
    ...(warnings && { warnings }),
    ...(original && { original }),
    receivedAt: new Date().toISOString(),
    source: 'replay',
    originalSource,
  };
  await enqueueEvents([copy], { shard, events, journal }, lane);
  return { kind: 'repeated', id: copy.id };
}
