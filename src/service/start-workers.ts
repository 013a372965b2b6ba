import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Account } from '../config/accounts.js';
import type { Settings } from '../config/settings.js';
import { openEventCauses } from '../coordination/event-causes.js';
import { openAlertStore } from '../alerts/alert-store.js';
import { openSilences } from '../alerts/silences.js';
import { openChannel } from '../channels/open-channel.js';
import type { Channel } from '../channels/open-channel.js';
import { openRunLimits } from '../coordination/run-limits.js';
import type { Journal } from '../journal/journal.js';
import { openConcurrencyGroups } from '../coordination/concurrency-groups.js';
import { alertJob, eventJob, runJob, scheduleJob, sweepJob } from '../queues/jobs.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from '../queues/jobs.js';
import { ALERTS, DAY_S, EVENTS, RUNS, SCHEDULES, SWEEPS } from '../queues/queues.js';
import { syncSchedules } from '../schedules/scheduler.js';
import { startWorker } from '../queues/worker.js';
import { loadReferenceCatalogs } from '../actions/reference-catalog.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Redaction } from '../telemetry/redaction.js';
import type { Rule } from '../rules/model/rule.js';
import { openAccounts } from './open-accounts.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { createAlertHandler } from '../../workers/alert-worker.js';
import { createEventHandler } from '../../workers/event-worker.js';
import { startScheduleSync } from '../schedules/schedule-sync.js';
import type { LiveRules } from './live-rules.js';
import { failAbandonedRun } from '../runs/run-session.js';
import { createRunHandler } from '../../workers/run-worker.js';
import { createScheduleHandler } from '../../workers/schedule-worker.js';
import { createSweepHandler } from '../../workers/sweep-worker.js';
import { createAlertDispatcher, wakeBusyChannels } from '../alerts/alert-dispatcher.js';
import { watchAccounts } from './watch-accounts.js';

/** What the workers need. */
export interface StartWorkersOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly rules: Pick<LiveRules, 'current' | 'channels' | 'vocabulary'>;
  /** A connection for workers. */
  readonly connection: Redis;
  readonly queues: {
    readonly events: Queue<EventJob>;
    readonly runs: Queue<RunJob>;
    readonly alerts: Queue<AlertJob>;
    readonly schedules: Queue<ScheduleJob>;
    readonly sweeps: Queue<SweepJob>;
  };
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redaction: Redaction;
}

/** Jobs in hand have this long to finish when the process stops; then their API calls are broken off. */
const DRAIN_MS = 11_000;
/** Without Redis no job can be finished. */
const DRAIN_WITHOUT_REDIS_MS = 2000;
/** Then they have this long to be handed back. */
const HAND_BACK_MS = 3000;

/** The workers of all queues, at work. */
export interface RunningWorkers {
  /** Stops them in order: no new jobs, finish or hand back those in hand. */
  readonly stop: () => Promise<void>;
  /** To be called when other rules are in force, the first ones included. */
  readonly rulesChanged: () => void;
  /** What the accounts have that rules can refer to; undefined when SimpleMDM cannot be asked now. */
  readonly catalogs: () => Promise<Vocabulary['catalogs']>;
}

/** A channel whose job was lost between two alerts is woken this often. */
const WAKE_INTERVAL_MS = 2000;

/** Starts the workers of all queues. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { settings, journal, metrics, logger, connection, queues } = options;
  const rules = (): readonly Rule[] => options.rules.current();
  const vocabulary = (): Vocabulary => options.rules.vocabulary();
  const breakOff = new AbortController();
  const watch = watchAccounts(connection, logger);
  const causes = openEventCauses(connection);
  const limits = openRunLimits(connection);
  const groups = openConcurrencyGroups(connection);
  const store = openAlertStore(connection);
  const channels = createChannels(options);
  const alerts = createAlertDispatcher({
    channels,
    store,
    queue: queues.alerts,
    journal,
    redact: options.redaction.redact,
    readOnly: settings.READ_ONLY,
  });
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
      handle: createEventHandler({ ...options, ...queues, rules, accounts, causes, groups, alerts }),
      onAbandoned: ({ event }, reason) =>
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
      handle: createRunHandler({
        ...options,
        ...queues,
        rules,
        vocabulary,
        accounts,
        causes,
        limits,
        groups,
        alerts,
        readOnly: settings.READ_ONLY,
        stop: breakOff.signal,
      }),
      onAbandoned: (job, reason) =>
        failAbandonedRun(job, reason, { ...queues, rules, journal, groups, limits, alerts, logger }),
    }),
    startWorker({
      ...shared,
      queue: ALERTS,
      schema: alertJob,
      handle: createAlertHandler({
        channels,
        store,
        silences: openSilences(connection),
        journal,
        policy: shared.policy,
        keepUndeliveredMs: settings.DEAD_LETTER_DAYS * DAY_S * 1000,
        readOnly: settings.READ_ONLY,
        consoleUrl: settings.PUBLIC_URL,
        redact: shared.redact,
        metrics,
        logger,
        stop: breakOff.signal,
      }),
      // What it was to send is kept; the channel is woken again.
      onAbandoned: ({ channel }, reason) => {
        logger.error({ channel, reason }, 'the messages of a channel could not be worked on');
        return Promise.resolve();
      },
    }),
    startWorker({
      ...shared,
      queue: SCHEDULES,
      schema: scheduleJob,
      handle: createScheduleHandler({ rules, accounts, sweeps: queues.sweeps, metrics, logger }),
      onAbandoned: ({ rule }, reason) => {
        logger.error({ rule, reason }, 'a schedule could not be worked through');
        return Promise.resolve();
      },
    }),
    startWorker({
      ...shared,
      queue: SWEEPS,
      schema: sweepJob,
      handle: createSweepHandler({ ...options, rules, accounts, events: queues.events }),
      onAbandoned: ({ rule, account }, reason) => {
        logger.error({ rule, account, reason }, 'a schedule could not be worked through');
        return Promise.resolve();
      },
    }),
  ];
  const waking = setInterval(() => {
    if (connection.status !== 'ready' || settings.READ_ONLY) return;
    wakeBusyChannels(store, queues.alerts).catch((error: unknown) =>
      logger.debug({ reason: errorText(error) }, 'channels could not be looked at'),
    );
  }, WAKE_INTERVAL_MS);
  waking.unref();
  const schedules = startScheduleSync(() => syncSchedules(queues.schedules, rules()), logger);
  const stop = async (): Promise<void> => {
    clearInterval(waking);
    schedules.stop();
    const closed = Promise.all(workers.map((worker) => worker.close())).then(() => true);
    const inTime = (ms: number): Promise<boolean> => Promise.race([closed, delay(ms, false, { ref: false })]);
    if (await inTime(connection.status === 'ready' ? DRAIN_MS : DRAIN_WITHOUT_REDIS_MS)) return;
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
  const catalogs = async (): Promise<Vocabulary['catalogs']> =>
    settings.CHECK_REFERENCES ? referentsInTime(accounts, logger) : undefined;
  return { stop, rulesChanged: schedules.requestSync, catalogs };
}

/** The channels of the rule files in force, opened once for the same files. */
function createChannels({ rules, env }: StartWorkersOptions): () => ReadonlyMap<string, Channel> {
  let opened: { of: unknown; channels: ReadonlyMap<string, Channel> } | undefined;
  return () => {
    const sources = rules.channels();
    if (opened?.of !== sources) {
      opened = {
        of: sources,
        channels: new Map(sources.map((source) => [source.name, openChannel(source, env)])),
      };
    }
    return opened.channels;
  };
}

/** A reload waits this long for SimpleMDM, and then does without: rules must change also while it is away. */
const REFERENTS_TIMEOUT_MS = 5000;

async function referentsInTime(
  accounts: ReadonlyMap<string, AccountAccess>,
  logger: Logger,
): Promise<Vocabulary['catalogs']> {
  const late = delay(REFERENTS_TIMEOUT_MS, undefined, { ref: false });
  const directories = [...accounts].map(([name, { directory }]) => [name, directory] as const);
  try {
    return await Promise.race([loadReferenceCatalogs(directories), late]);
  } catch (error) {
    logger.debug({ reason: errorText(error) }, 'what rules refer to could not be looked up');
    return undefined;
  }
}
