import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Settings } from '../config/settings.js';
import { KEY_PREFIX } from './connection.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from './jobs.js';

/** The names of the queues. */
export const EVENTS = 'events';
export const RUNS = 'runs';
export const ALERTS = 'alerts';
export const SCHEDULES = 'schedules';
export const SWEEPS = 'sweeps';

/** How long finished jobs stay in Redis. */
export interface Retention {
  /** A repeat of an event is recognised this long. */
  readonly repeatWindowDays: number;
  /** Dead letters stay this long. */
  readonly deadLetterDays: number;
  readonly attempts: number;
}

/** Seconds in a day. */
export const DAY_S = 86_400;

/** How long things are kept, as the settings say. */
export function retentionOf(settings: Settings): Retention {
  return {
    repeatWindowDays: settings.REPEAT_WINDOW_DAYS,
    deadLetterDays: settings.DEAD_LETTER_DAYS,
    attempts: settings.RETRY_ATTEMPTS,
  };
}

function jobOptions({ repeatWindowDays, deadLetterDays, attempts }: Retention): JobsOptions {
  return {
    attempts,
    backoff: { type: 'custom' },
    removeOnComplete: { age: repeatWindowDays * DAY_S },
    removeOnFail: { age: Math.max(deadLetterDays, repeatWindowDays) * DAY_S },
  };
}

/** The queue of events; the job id is the event id, so that adding an event twice adds it once. */
export function openEventQueue(connection: Redis, retention: Retention): Queue<EventJob> {
  return open<EventJob>(EVENTS, connection, retention);
}

/** The queue of runs; the job id is {@link runId}. */
export function openRunQueue(connection: Redis, retention: Retention): Queue<RunJob> {
  return open<RunJob>(RUNS, connection, retention);
}

/** The queue of channels that have something to send; the job id is {@link channelJobId}, so a channel is worked on by one worker at a time. */
export function openAlertQueue(connection: Redis, retention: Retention): Queue<AlertJob> {
  // The next alert needs the id again.
  return open<AlertJob>(ALERTS, connection, retention, { removeOnComplete: true, removeOnFail: true });
}

/** What a tick came to need not be known for longer: its events, which are kept, are recognised by their ids. */
const TICKS_KEPT: JobsOptions = { removeOnComplete: { age: DAY_S }, removeOnFail: { age: DAY_S } };

/** The queue of the times at which rules run by the clock. */
export function openScheduleQueue(connection: Redis, retention: Retention): Queue<ScheduleJob> {
  return open<ScheduleJob>(SCHEDULES, connection, retention, TICKS_KEPT);
}

/** The queue of the sweeps that ticks begin. It is apart from theirs: a tick must not wait until a fleet has been gone through. */
export function openSweepQueue(connection: Redis, retention: Retention): Queue<SweepJob> {
  return open<SweepJob>(SWEEPS, connection, retention, TICKS_KEPT);
}

function open<T>(name: string, connection: Redis, retention: Retention, options: JobsOptions = {}): Queue<T> {
  const queue = new Queue<T>(name, {
    connection,
    prefix: KEY_PREFIX,
    defaultJobOptions: { ...jobOptions(retention), ...options },
  });
  // The connection reports its troubles itself, once; without a listener BullMQ would print them to the console as well.
  queue.on('error', () => undefined);
  return queue;
}

/** Lets a job that waits for its time begin now. */
export async function wakeJob(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id);
  // One that is not waiting for its time is on its way already; another may wake it first.
  if ((await job?.isDelayed()) === true) await job?.promote().catch(() => undefined);
}

/** The id of the job that sends what a channel has. A bare number would be taken for an id of BullMQ's own. */
export function channelJobId(channel: string): string {
  return `channel.${channel}`;
}

/** The id of the run of a rule for an event. BullMQ keeps the colon for itself, so a dot joins the two. */
export function runId(eventId: string, ruleId: string): string {
  return `${eventId}.${ruleId}`;
}
