import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import type { Shard } from './shards.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from './jobs.js';
import { BACKLOG_DELAY_MS } from './backlog-delay.js';
import { DAY_S, deadLetterTtlS } from './retention.js';
import type { Retention } from './retention.js';

/** The names of the queues. */
export const EVENTS = 'events';
export const RUNS = 'runs';
export const ALERTS = 'alerts';
export const SCHEDULES = 'schedules';
export const SWEEPS = 'sweeps';

function jobOptions(retention: Retention): JobsOptions {
  return {
    attempts: retention.attempts,
    backoff: { type: 'custom' },
    removeOnFail: { age: deadLetterTtlS(retention) },
  };
}

/** Completed events and runs leave the queue at once: their traces know that they are done, and a second copy would fill Redis. */
const IN_TRACE: JobsOptions = { removeOnComplete: true };

/** The queue of events. The job id is the event id. The trace of an event marks a repeat. */
export function openEventQueue(shard: Shard, retention: Retention): Queue<EventJob> {
  return open<EventJob>(EVENTS, shard, retention, IN_TRACE);
}

/** The queue of runs. The job id is {@link runId}. The trace of the event marks a run that has ended. */
export function openRunQueue(shard: Shard, retention: Retention): Queue<RunJob> {
  return open<RunJob>(RUNS, shard, retention, IN_TRACE);
}

/** The queue of channels that have something to send. The job id is {@link channelJobId}, so one worker at a time works on a channel. */
export function openAlertQueue(shard: Shard, retention: Retention): Queue<AlertJob> {
  // The next alert needs the job id again.
  return open<AlertJob>(ALERTS, shard, retention, { removeOnComplete: true, removeOnFail: true });
}

/** A day is enough for ticks and sweeps: the ids of their events mark a repeated tick. */
const TICK_RETENTION: JobsOptions = { removeOnComplete: { age: DAY_S }, removeOnFail: { age: DAY_S } };

/** The queue of the ticks of schedules. */
export function openScheduleQueue(shard: Shard, retention: Retention): Queue<ScheduleJob> {
  return open<ScheduleJob>(SCHEDULES, shard, retention, TICK_RETENTION);
}

/** The queue of the sweeps that ticks start. Sweeps have a queue of their own, so that no tick waits behind a sweep. */
export function openSweepQueue(shard: Shard, retention: Retention): Queue<SweepJob> {
  return open<SweepJob>(SWEEPS, shard, retention, TICK_RETENTION);
}

/** Redis trims a stream in nodes of a hundred entries. */
const MAX_STREAM_LENGTH = 100;

function open<T>(name: string, shard: Shard, retention: Retention, options: JobsOptions = {}): Queue<T> {
  const queue = new Queue<T>(name, {
    connection: shard.redis,
    prefix: shard.prefix,
    defaultJobOptions: { ...jobOptions(retention), ...options },
    // Nobody reads the streams in which BullMQ tells what happens to jobs, and BullMQ always writes them.
    streams: { events: { maxLen: MAX_STREAM_LENGTH } },
  });
  // The connection logs its errors. Without a listener BullMQ prints them to the console as well.
  queue.on('error', () => undefined);
  return queue;
}

/** Makes a delayed job due now. One in the backlog does not go before those that wait longer. */
export async function wakeJob(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id);
  if (job === undefined || job.delay === BACKLOG_DELAY_MS) return;
  // A job that is not delayed runs anyway. Another process may promote it first.
  if (await job.isDelayed()) await job.promote().catch(() => undefined);
}

/** The id of the job of a channel. BullMQ reserves ids that are numbers, hence the prefix. */
export function channelJobId(channel: string): string {
  return `channel.${channel}`;
}

/** The id of the run of a rule for an event. BullMQ reserves the colon, so a dot joins the two. */
export function runId(eventId: string, ruleId: string): string {
  return `${eventId}.${ruleId}`;
}
