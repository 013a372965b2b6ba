import { createHash, randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Event } from '../events/envelope.js';
import type { Journal } from '../journal/journal.js';
import type { Trace } from '../journal/trace.js';
import type { EventJob, RunJob } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';

/** Where replays go. */
export interface ReplayOptions {
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly journal: Journal;
}

/** What a replay did. */
export type Replay =
  /** Dead letters were put back: the event itself, or runs that go on at the step that failed. */
  | {
      readonly kind: 'resumed';
      readonly id: string;
      readonly event: boolean;
      readonly rules: readonly string[];
    }
  /** The event was taken once more, as a new one: every rule is considered again. */
  | { readonly kind: 'repeated'; readonly id: string };

/**
 * Replays an event. What failed goes on where it failed, so that nothing is done twice; when nothing failed, or everything is
 * asked for, the event is taken once more as a new one.
 */
export async function replay(trace: Trace, everything: boolean, options: ReplayOptions): Promise<Replay> {
  const failedRuns = trace.runs.filter((run) => run.status === 'failed');
  const eventFailed = trace.processing?.state === 'failed';
  if (everything || (failedRuns.length === 0 && !eventFailed)) return repeat(trace, options);
  const rules: string[] = [];
  for (const run of failedRuns) {
    const job = await options.runs.getJob(runId(trace.id, run.rule));
    if (job === undefined || !(await job.isFailed())) continue;
    await job.updateData({ ...job.data, replayed: true });
    const { reason: _reason, finishedAt: _finishedAt, ...queued } = run;
    await options.journal.recordRun(trace.id, { ...queued, status: 'queued' });
    await job.retry('failed', { resetAttemptsMade: true });
    rules.push(run.rule);
  }
  const event = eventFailed && (await retryEvent(trace, options));
  return { kind: 'resumed', id: trace.id, event, rules };
}

async function retryEvent(trace: Trace, { events, journal }: ReplayOptions): Promise<boolean> {
  const job = await events.getJob(trace.id);
  if (job === undefined || !(await job.isFailed())) return false;
  await journal.recordProcessing(trace.id, {
    state: 'waiting',
    attempts: 0,
    at: new Date().toISOString(),
    reason: 'replayed',
  });
  await job.retry('failed', { resetAttemptsMade: true });
  return true;
}

async function repeat(
  { id, account, type, at, data }: Trace,
  { events, journal }: ReplayOptions,
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
  };
  await events.add(type, { event: repeated }, { jobId: repeated.id });
  await journal.recordReceived([repeated]);
  return { kind: 'repeated', id: repeated.id };
}
