import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Account } from '../src/config/accounts.js';
import type { Settings } from '../src/config/settings.js';
import { openCauses } from '../src/journal/causes.js';
import { openCeilings } from '../src/journal/ceilings.js';
import type { Journal } from '../src/journal/journal.js';
import { eventJob, runJob } from '../src/queues/jobs.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import { EVENTS, RUNS } from '../src/queues/queues.js';
import { startWorker } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/rule.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import { openAccounts } from './accounts.js';
import { createEventHandler } from './event-worker.js';
import { createRunHandler } from './run-worker.js';
import { watchAccounts } from './watch-accounts.js';

/** What the workers need. */
export interface StartWorkersOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly rules: () => readonly Rule[];
  readonly vocabulary: Vocabulary;
  /** A connection for workers. */
  readonly connection: Redis;
  readonly queues: { readonly events: Queue<EventJob>; readonly runs: Queue<RunJob> };
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redaction: Redaction;
}

/** Jobs in hand have this long to finish when the process stops; then their API calls are broken off. */
const GRACE_MS = 11_000;
/** Without Redis no job can be finished. */
const GRACE_WITHOUT_REDIS_MS = 2000;
/** Then they have this long to be handed back. */
const HAND_BACK_MS = 3000;

/**
 * Starts the workers of both queues.
 *
 * @returns A function that stops them in order: no new jobs, finish or hand back those in hand.
 */
export function startWorkers(options: StartWorkersOptions): () => Promise<void> {
  const { settings, journal, metrics, logger, connection } = options;
  const breakOff = new AbortController();
  const watch = watchAccounts(connection, logger);
  const causes = openCauses(connection);
  const ceilings = openCeilings(connection);
  const accounts = openAccounts(options.accounts, {
    redis: connection,
    callsPerSecond: settings.API_RATE,
    timeoutMs: settings.API_TIMEOUT_MS,
    signal: breakOff.signal,
    onCircuit: (account, state) => {
      metrics.apiCircuitOpen.set({ account }, state === 'open' ? 1 : 0);
      if (state === 'open')
        logger.error(
          { account },
          'SimpleMDM does not answer: its events wait, and it is tried every few seconds',
        );
      else logger.info({ account }, 'SimpleMDM answers again');
    },
    onCall: (call) => {
      const { account, method, route, status, path, durationMs, error } = call;
      metrics.apiCallDuration.observe(
        { account, method, route, status: status === undefined ? 'error' : String(status) },
        durationMs / 1000,
      );
      logger.debug({ account, method, path, status, durationMs, error }, 'API call');
      watch(call);
    },
  });
  // A wrong key is told at the start, not when the first device enrolls.
  for (const [name, { api }] of accounts) {
    api.account.show().then(
      (account) =>
        logger.info({ account: name, simplemdm: account.attributes.name }, 'connected to SimpleMDM'),
      (error: unknown) => {
        // A refused key is told by watchAccounts.
        if (error instanceof SimpleMdmError && error.failure.status === 401) return;
        logger.warn(
          { account: name, reason: errorText(error) },
          'SimpleMDM could not be reached; events wait until it can',
        );
      },
    );
  }
  const shared = {
    connection,
    concurrency: settings.WORKER_CONCURRENCY,
    policy: {
      attempts: settings.RETRY_ATTEMPTS,
      baseMs: settings.RETRY_BASE_MS,
      maxMs: settings.RETRY_MAX_MS,
    },
    redact: options.redaction.redact,
    metrics,
    logger,
  };
  const workers = [
    startWorker({
      ...shared,
      queue: EVENTS,
      schema: eventJob,
      handle: createEventHandler({ ...options, accounts, causes, runs: options.queues.runs }),
      onGivenUp: ({ event }, reason) =>
        journal.recordProcessing(event.id, {
          state: 'failed',
          attempts: shared.policy.attempts,
          at: new Date().toISOString(),
          reason,
        }),
    }),
    startWorker({
      ...shared,
      queue: RUNS,
      schema: runJob,
      handle: createRunHandler({ ...options, accounts, causes, ceilings, readOnly: settings.READ_ONLY }),
      onGivenUp: ({ event, rule, steps, plannedAt }, reason) =>
        journal.recordRun(event.id, {
          rule: rule.id,
          status: 'failed',
          plannedAt,
          steps,
          reason,
          finishedAt: new Date().toISOString(),
        }),
    }),
  ];
  return async () => {
    const closed = Promise.all(workers.map((worker) => worker.close())).then(() => true);
    const inTime = (ms: number): Promise<boolean> => Promise.race([closed, delay(ms, false, { ref: false })]);
    if (await inTime(connection.status === 'ready' ? GRACE_MS : GRACE_WITHOUT_REDIS_MS)) return;
    if (connection.status !== 'ready') {
      logger.warn(
        'Redis is away, so nothing can be handed back; jobs in hand are taken up again when their locks run out',
      );
      for (const worker of workers) worker.abandon();
      return;
    }
    logger.warn('jobs still run; breaking off their API calls and handing them back');
    breakOff.abort();
    if (await inTime(HAND_BACK_MS)) return;
    logger.error('some jobs could not be handed back; another worker takes them up when their locks run out');
    for (const worker of workers) worker.abandon();
  };
}
