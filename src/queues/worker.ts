import { DelayedError, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Redact } from '../telemetry/redaction.js';
import { KEY_PREFIX } from './connection.js';
import { retryDelay } from './retry.js';
import type { RetryPolicy } from './retry.js';

/** What a job came to. */
export type JobOutcome =
  | { readonly kind: 'done' }
  /** Tried again at a time; `waits` uses up no attempt, for what is no fault of the job (a bad API key, a rate limit). */
  | { readonly kind: 'again'; readonly at: number; readonly waits: boolean; readonly reason: string }
  /** It cannot succeed: a dead letter. */
  | { readonly kind: 'dead'; readonly reason: string }
  /** The process stops: the next worker takes it up at once. */
  | { readonly kind: 'handed_back' };

/** A job as its handler sees it. */
export interface JobHandle<T> {
  readonly id: string;
  readonly data: T;
  /** When it was due, in epoch milliseconds. */
  readonly scheduledAt: number;
  /** How many attempts have been used up, this one included. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
  /** Keeps what is known so far with the job. */
  readonly save: (data: T) => Promise<void>;
  /**
   * Makes sure that the job is still ours, right before something that must not be done twice.
   *
   * @throws LostJobError when another worker has taken it over, because this one was out of touch with Redis for too long.
   */
  readonly confirmOwnership: () => Promise<void>;
  /** When to try again, in epoch milliseconds; not before the given time. */
  readonly retryAt: (notBefore?: number) => number;
}

/** Another worker has the job now; this one must leave it alone. */
class LostJobError extends Error {
  override readonly name = 'LostJobError';
}

/** How a queue is worked on. */
export interface WorkerOptions<S extends z.ZodType> {
  readonly queue: string;
  readonly connection: Redis;
  readonly schema: S;
  readonly handle: (job: JobHandle<z.output<S>>) => Promise<JobOutcome>;
  /** Told when a job is given up without its handler's doing: it threw to the last, or the process died under it again and again. */
  readonly onAbandoned: (data: z.output<S>, reason: string) => Promise<void>;
  readonly concurrency: number;
  readonly policy: RetryPolicy;
  /** Applied to the reasons that BullMQ keeps with a job. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A worker that runs. */
export interface RunningWorker {
  /** Takes no more jobs; resolves when those in hand are done. */
  readonly close: () => Promise<void>;
  /** Lets go of the jobs in hand at once: other workers take them up when their locks run out. */
  readonly abandon: () => void;
}

/** A job whose worker is silent this long is given to another. */
const LOCK_MS = 30_000;
const STALLED_CHECK_MS = 5000;
/** Each time the process dies under a job counts; a job that kills it must end as a dead letter some day. */
const MAX_STALLS = 10;

/** An error that carries the delay to BullMQ's backoff strategy. */
class RetryError extends Error {
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

/** Starts working on a queue. What BullMQ wants thrown, and when, is known here alone. */
export function startWorker<S extends z.ZodType>(options: WorkerOptions<S>): RunningWorker {
  const { queue, connection, policy, metrics, logger } = options;

  const processJob = async (job: Job<unknown>, token = ''): Promise<void> => {
    const end = metrics.jobDuration.startTimer({ queue });
    const outcome = await outcomeOf(job, token);
    end({ outcome: outcome.kind });
    switch (outcome.kind) {
      case 'done':
        return;
      case 'dead':
        throw new UnrecoverableError(options.redact(outcome.reason));
      case 'handed_back':
        await job.moveToWait(token);
        throw new WaitingError();
      case 'again':
        if (!outcome.waits)
          throw new RetryError(options.redact(outcome.reason), Math.max(outcome.at - Date.now(), 0));
        await job.moveToDelayed(outcome.at, token);
        throw new DelayedError();
    }
  };

  const outcomeOf = async (job: Job<unknown>, token: string): Promise<JobOutcome> => {
    const parsed = options.schema.safeParse(job.data);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return {
        kind: 'dead',
        reason: `the job is not of the documented form: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      };
    }
    const handle = handleFor(job, token, parsed.data);
    try {
      return await options.handle(handle);
    } catch (error) {
      // Whoever has the job now settles it; our verdict on it would be refused anyway.
      if (error instanceof LostJobError) throw error;
      const reason = errorText(error);
      logger.error({ queue, job: job.id, err: error }, 'a job failed unexpectedly');
      if (!handle.isLastAttempt) return { kind: 'again', at: handle.retryAt(), waits: false, reason };
      // As it was kept last, not as it was when this attempt began.
      const latest = options.schema.safeParse(job.data);
      await options.onAbandoned(latest.success ? latest.data : parsed.data, reason);
      return { kind: 'dead', reason };
    }
  };

  const handleFor = (job: Job<unknown>, token: string, data: z.output<S>): JobHandle<z.output<S>> => {
    const attempt = job.attemptsMade + 1;
    const confirmOwnership = async (): Promise<void> => {
      const held = await job.extendLock(token, LOCK_MS);
      if (held !== 1) throw new LostJobError(`another worker has taken over job ${job.id ?? ''}`);
    };
    return {
      id: job.id ?? '',
      data,
      scheduledAt: job.timestamp + Math.max(job.opts.delay ?? 0, 0),
      attempt,
      isLastAttempt: attempt >= (job.opts.attempts ?? 1),
      confirmOwnership,
      save: async (changed) => {
        // What another worker has kept since must not be written over.
        await confirmOwnership();
        await job.updateData(changed);
      },
      retryAt: (notBefore = 0) =>
        Date.now() + retryDelay(policy, attempt, Math.random(), notBefore - Date.now()),
    };
  };

  const worker = new Worker(queue, processJob, {
    connection,
    prefix: KEY_PREFIX,
    concurrency: options.concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLS,
    settings: {
      backoffStrategy: (attemptsMade, _type, error) =>
        error instanceof RetryError ? error.delayMs : retryDelay(policy, attemptsMade, Math.random()),
    },
  });
  worker.on('error', (error) => logger.debug({ queue, reason: errorText(error) }, 'worker connection'));
  worker.on('stalled', (jobId) =>
    logger.warn({ queue, job: jobId }, 'a job was left behind by a worker that died; it is taken up again'),
  );
  worker.on('failed', (job, error) => {
    if (!error.message.includes('stalled more than allowable limit') || job === undefined) return;
    const parsed = options.schema.safeParse(job.data);
    if (!parsed.success) return;
    options
      .onAbandoned(parsed.data, `the service died ${MAX_STALLS} times while working on it`)
      .catch((failure: unknown) =>
        logger.error({ queue, job: job.id, err: failure }, 'a given-up job could not be recorded'),
      );
  });
  return {
    close: () => worker.close(),
    abandon: () => {
      // close(true) would wait for the close that is already under way.
      worker
        .disconnect()
        .catch((error: unknown) => logger.debug({ queue, reason: errorText(error) }, 'worker connection'));
    },
  };
}
