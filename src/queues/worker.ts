import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import type { Job } from 'bullmq';
import type { Shard } from './shards.js';
import type { z } from 'zod';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Redact } from '../telemetry/redaction.js';
import { CONFIRM_OWNERSHIP, SAVE_DATA } from './owned-script.js';
import type { OwnedScript } from './owned-script.js';
import { runScript } from './script.js';
import { joinedParts } from './script-parts.js';
import type { ScriptPart } from './script-parts.js';
import { retryOrFail } from './outcome-of-error.js';
import type { JobHandle, JobPlace } from './job-handle.js';
import type { FailureReason, JobFailure, JobOutcome } from './job-outcome.js';
import { stalledCheckMs } from './job-lock.js';
import { PatientWorker } from './patient-worker.js';
import { BACKLOG_DELAY_MS } from './backlog-delay.js';
import { retryDelay } from './backoff.js';
import type { RetryPolicy } from './backoff.js';

/** Another worker has the job, so this one must not touch it any more. */
class LostJobError extends Error {
  override readonly name = 'LostJobError';
}

/** A job of BullMQ, as a {@link Window} sees it. */
export interface WindowJob<T> {
  readonly id: string;
  /** The name of the job: the rule of a run, the type of an event. */
  readonly name: string;
  readonly data: T;
  /** When the job was added, in epoch milliseconds. */
  readonly addedAt: number;
  /** The token of the lock. */
  readonly token: string;
}

/** Bounds how many jobs of an account are in flight, so that no account, lane or rule waits for another. */
export interface Window<T> {
  /**
   * Asks for a job that was delayed before, or was not asked for when it was added. `held`: BullMQ has the job as delayed until it is its
   * turn. `lost`: another worker has the job.
   */
  readonly ask: (job: WindowJob<T>) => Promise<'in_flight' | 'held' | 'lost'>;
  /** Releases the next jobs. Called right before BullMQ ends or delays the job. */
  readonly leave: (job: WindowJob<T>) => Promise<void>;
  /** For a script that ends the job and leaves the window in the same step. */
  readonly placeOf: (job: WindowJob<T>) => ScriptPart;
  /** Puts a job back until its account answers. */
  readonly park: (job: WindowJob<T>, until: number) => Promise<'parked' | 'lost'>;
  /** Whether jobs are added without a look at the window: they ask when they start. */
  readonly asksFirst: boolean;
}

/** The parts of a worker. */
export interface WorkerOptions<S extends z.ZodType> {
  readonly queue: string;
  readonly shard: Shard;
  readonly schema: S;
  readonly handle: (job: JobHandle<z.output<S>>) => Promise<JobOutcome>;
  /** Called when a job fails without its handler: the handler threw on the last attempt, or the process died on the job too often. */
  readonly onAbandoned: (data: z.output<S>, failure: FailureReason) => Promise<void>;
  /** For the queues whose jobs belong to accounts. */
  readonly window?: Window<z.output<S>>;
  readonly concurrency: number;
  /** How long the lock of a job lasts. Another worker resumes the job of a dead worker after this time. */
  readonly lockMs: number;
  readonly policy: RetryPolicy;
  /** Applied to the reasons that BullMQ stores with a job. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A running worker. */
export interface RunningWorker {
  /** Starts no more jobs. Resolves when the active ones have ended. */
  readonly close: () => Promise<void>;
  /** Disconnects without waiting. Other workers get the active jobs when the locks expire. */
  readonly abandon: () => void;
}

/** A job that kills the process must become a dead letter in the end. */
const MAX_STALLS = 10;

/** Carries the delay of a retry to BullMQ's backoff strategy. */
class RetryError extends Error {
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

function invalidData(issue: z.core.$ZodIssue | undefined): JobFailure {
  const reason = `invalid job data: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  return { kind: 'failed', reason, code: 'event/invalid-job' };
}

function lostJob({ id = '' }: Pick<Job, 'id'>): LostJobError {
  return new LostJobError(`another worker has job ${id}`);
}

/** Starts a worker for a queue. Only this function knows which errors BullMQ expects for which outcome. */
export function startWorker<S extends z.ZodType>(options: WorkerOptions<S>): RunningWorker {
  const { queue, shard, policy, metrics, logger } = options;
  const keysOfQueue = `${shard.prefix}:${queue}:`;

  const processJob = async (job: Job<unknown>, token = ''): Promise<void> => {
    const parsed = options.schema.safeParse(job.data);
    // Data that no one can read has no account, so its job has no place in a window.
    const place = parsed.success ? placeOf(job, token, parsed.data) : undefined;
    // BullMQ starts a job by itself that was in the backlog for a day.
    const isLate = job.attemptsStarted > 1 || Date.now() - job.timestamp >= BACKLOG_DELAY_MS;
    if (place !== undefined && (place.window.asksFirst || isLate)) {
      const answer = await place.window.ask(place.job);
      if (answer === 'lost') throw lostJob(job);
      if (answer === 'held') throw new DelayedError();
    }
    const end = metrics.jobDuration.startTimer({ queue });
    const outcome = parsed.success
      ? await outcomeOf(job, token, parsed.data, place?.ofHandle)
      : invalidData(parsed.error.issues[0]);
    end({ outcome: outcome.kind });
    if (place !== undefined && outcome.kind === 'retry' && outcome.isAccountUnavailable === true) {
      if ((await place.window.park(place.job, outcome.at)) === 'lost') throw lostJob(job);
      throw new DelayedError();
    }
    // A job that goes back to the queue is still in flight.
    if (place !== undefined && outcome.kind !== 'requeue' && !place.hasLeft()) leaveWindow(place);
    switch (outcome.kind) {
      case 'completed':
        return;
      case 'failed':
        throw new UnrecoverableError(options.redact(outcome.reason));
      case 'requeue':
        await job.moveToWait(token);
        throw new WaitingError();
      case 'retry':
        if (outcome.countsAttempt)
          throw new RetryError(options.redact(outcome.reason), Math.max(outcome.at - Date.now(), 0));
        await job.moveToDelayed(outcome.at, token);
        throw new DelayedError();
    }
  };

  /**
   * Does not wait: the next command of BullMQ goes out on the same connection right behind, so the job that is released is there when
   * BullMQ looks for the next one.
   */
  const leaveWindow = ({ window, job }: NonNullable<ReturnType<typeof placeOf>>): void => {
    // The check of the backlog finds a job that could not leave.
    window
      .leave(job)
      .catch((error: unknown) =>
        logger.debug({ queue, job: job.id, reason: errorText(error) }, 'a job could not leave its window'),
      );
  };

  /** The place of a job in the window of its account. */
  const placeOf = (job: Job<unknown>, token: string, data: z.output<S>) => {
    const { window } = options;
    if (window === undefined) return undefined;
    const inWindow = { id: job.id ?? '', name: job.name, data, addedAt: job.timestamp, token };
    let hasLeft = false;
    const ofHandle: JobPlace = { part: window.placeOf(inWindow), left: () => (hasLeft = true) };
    return { window, job: inWindow, ofHandle, hasLeft: () => hasLeft };
  };

  const outcomeOf = async (
    job: Job<unknown>,
    token: string,
    data: z.output<S>,
    place?: JobPlace,
  ): Promise<JobOutcome> => {
    const handle = { ...handleFor(job, token, data), ...(place && { place }) };
    try {
      return await options.handle(handle);
    } catch (error) {
      // The worker that has the job decides its outcome. BullMQ would refuse one from here.
      if (error instanceof LostJobError) throw error;
      const code = 'event/unexpected-error';
      logger.error({ code, queue, job: job.id, err: error }, 'a job threw an unexpected error');
      const outcome = retryOrFail({ reason: errorText(error), code }, handle);
      if (outcome.kind === 'failed') {
        // The data of the last save, not of the start of this attempt.
        const latest = options.schema.safeParse(job.data);
        await options.onAbandoned(latest.success ? latest.data : data, outcome);
      }
      return outcome;
    }
  };

  const handleFor = (job: Job<unknown>, token: string, data: z.output<S>): JobHandle<z.output<S>> => {
    const attempt = job.attemptsMade + 1;
    const id = job.id ?? '';
    const keys = [`${keysOfQueue}${id}`, `${keysOfQueue}stalled`];
    const runOwned = async (
      { script }: OwnedScript,
      text: string,
      parts: readonly ScriptPart[],
    ): Promise<unknown> => {
      const values = [id, token, options.lockMs, text, ...joinedParts(parts)];
      const result = await runScript(shard.redis, script, keys, values);
      if (result === null) throw lostJob(job);
      return result;
    };
    const saveWith: JobHandle<z.output<S>>['saveWith'] = async (script, changed, parts) => {
      const result = await runOwned(script, JSON.stringify(changed), parts);
      job.data = changed;
      return result;
    };
    return {
      id,
      data,
      scheduledAt: job.timestamp + Math.max(job.opts.delay ?? 0, 0),
      attempt,
      isLastAttempt: attempt >= (job.opts.attempts ?? 1),
      confirmOwnership: async () => {
        await runOwned(CONFIRM_OWNERSHIP, '', []);
      },
      save: async (changed) => {
        await saveWith(SAVE_DATA, changed, []);
      },
      saveWith,
      retryAt: (notBefore = 0) =>
        Date.now() + retryDelay(policy, attempt, Math.random(), notBefore - Date.now()),
    };
  };

  const worker = new PatientWorker(queue, processJob, {
    connection: shard.redis,
    prefix: shard.prefix,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: stalledCheckMs(options.lockMs),
    maxStalledCount: MAX_STALLS,
    settings: {
      backoffStrategy: (attemptsMade, _type, error) =>
        error instanceof RetryError ? error.delayMs : retryDelay(policy, attemptsMade, Math.random()),
    },
  });
  worker.on('error', (error) => logger.debug({ queue, reason: errorText(error) }, 'worker connection'));
  worker.on('stalled', (jobId) =>
    logger.warn(
      { code: 'event/worker-lost', queue, job: jobId },
      'a worker died or lost Redis during a job; another worker continues',
    ),
  );
  worker.on('failed', (job, error) => {
    if (!error.message.includes('stalled more than allowable limit') || job === undefined) return;
    const parsed = options.schema.safeParse(job.data);
    if (!parsed.success) return;
    const code = 'event/worker-lost';
    options
      .onAbandoned(parsed.data, { reason: `the service died ${MAX_STALLS} times during this job`, code })
      .catch((failure: unknown) =>
        logger.error({ code, queue, job: job.id, err: failure }, 'the end of a job could not be recorded'),
      );
  });
  return {
    close: () => worker.close(),
    abandon: () => {
      // close(true) waits for a close that has started.
      worker
        .disconnect()
        .catch((error: unknown) => logger.debug({ queue, reason: errorText(error) }, 'worker connection'));
    },
  };
}
