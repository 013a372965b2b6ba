import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { createAlertHandler } from '../../workers/alert-worker.js';
import { createEventHandler } from '../../workers/event-worker.js';
import { createRunHandler } from '../../workers/run-worker.js';
import { createScheduleHandler } from '../../workers/schedule-worker.js';
import { createSweepHandler } from '../../workers/sweep-worker.js';
import { createAlertDispatcher } from '../alerts/alert-dispatcher.js';
import type { AlertDispatcher } from '../alerts/alert-dispatcher.js';
import { wakeBusyChannels } from '../alerts/wake-channel.js';
import { openAlertStore } from '../alerts/alert-store.js';
import type { AlertStore } from '../alerts/alert-store.js';
import { openSilences } from '../alerts/silences.js';
import type { Channel } from '../channels/open-channel.js';
import type { Account } from '../config/accounts.js';
import type { Settings } from '../config/settings.js';
import { openConcurrencyGroups } from '../coordination/concurrency-groups.js';
import type { ConcurrencyGroups } from '../coordination/concurrency-groups.js';
import { openEventCauses } from '../coordination/event-causes.js';
import type { EventCauses } from '../coordination/event-causes.js';
import { openApprovals } from '../coordination/approvals.js';
import type { Approvals } from '../coordination/approvals.js';
import { openOnceClaims } from '../coordination/once-claims.js';
import type { OnceClaims } from '../coordination/once-claims.js';
import { openRaisedDevices } from '../coordination/raised-devices.js';
import type { RaisedDevices } from '../coordination/raised-devices.js';
import { openRunLimits } from '../coordination/run-limits.js';
import type { RunLimits } from '../coordination/run-limits.js';
import { openLookups } from '../lookups/lookups.js';
import type { Lookups } from '../lookups/lookups.js';
import type { Journal } from '../journal/journal.js';
import type { FailureReason } from '../queues/job-outcome.js';
import { alertJob, eventJob, runJob, scheduleJob, sweepJob } from '../queues/jobs.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from '../queues/jobs.js';
import { ALERTS, EVENTS, RUNS, SCHEDULES, SWEEPS } from '../queues/queues.js';
import { DAY_S, retentionOf } from '../queues/retention.js';
import type { Retention } from '../queues/retention.js';
import type { RetryPolicy } from '../queues/backoff.js';
import { startWorker } from '../queues/worker.js';
import type { RunningWorker } from '../queues/worker.js';
import type { Rule } from '../rules/model/rule.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { failAbandonedEvent } from '../runs/event-session.js';
import { failAbandonedRun } from '../runs/run-session.js';
import { startScheduleSync } from '../schedules/schedule-sync.js';
import { syncSchedules } from '../schedules/schedule-queue.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Redaction } from '../telemetry/redaction.js';
import { drainWorkers } from './drain-workers.js';
import type { LiveRules } from './live-rules.js';
import { lookUpCatalogs } from './look-up-catalogs.js';
import { checkAccounts, openAccounts } from './open-accounts.js';
import { openChannels } from './open-channels.js';

/** What the workers need. */
export interface StartWorkersOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly rules: Pick<LiveRules, 'current' | 'channels' | 'lookups' | 'vocabulary'>;
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

/** The running workers of all queues. */
export interface RunningWorkers {
  /** Takes no new jobs, and finishes or hands back the active ones. */
  readonly stop: () => Promise<void>;
  /** To call when the live rules have changed, the first ones included. Returns at once. */
  readonly rulesChanged: () => void;
  /** What the accounts have that rules can refer to; undefined when SimpleMDM cannot be asked now. */
  readonly catalogs: () => Promise<Vocabulary['catalogs']>;
}

/** Starts the workers of all queues. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { settings, connection, queues, logger } = options;
  const retention = retentionOf(settings);
  const aborter = new AbortController();
  const accounts = openAccounts(options.accounts, {
    ...options,
    redis: connection,
    signal: aborter.signal,
  });
  checkAccounts(accounts, logger);
  const channels = openChannels(options.rules, options.env);
  const store = openAlertStore(connection);
  const shared: SharedByWorkers = {
    ...options,
    rules: () => options.rules.current(),
    vocabulary: () => options.rules.vocabulary(),
    accounts,
    channels,
    lookups: openLookups({ ...options, sources: options.rules.lookups, signal: aborter.signal }),
    store,
    causes: openEventCauses(connection, retention),
    limits: openRunLimits(connection),
    groups: openConcurrencyGroups(connection, retention),
    raised: openRaisedDevices(connection, retention),
    once: openOnceClaims(connection),
    approvals: openApprovals(connection),
    publicUrl: settings.PUBLIC_URL,
    readOnly: settings.READ_ONLY,
    alerts: createAlertDispatcher({
      channels,
      store,
      queue: queues.alerts,
      journal: options.journal,
      redact: options.redaction.redact,
      readOnly: settings.READ_ONLY,
    }),
    retention,
    policy: {
      attempts: settings.RETRY_ATTEMPTS,
      baseMs: settings.RETRY_BASE_MS,
      maxMs: settings.RETRY_MAX_MS,
    },
    stop: aborter.signal,
    lookPausesMs: settings.INVENTORY_LOOKS_MS,
  };
  const workers = [
    startEventWorker(shared),
    startRunWorker(shared),
    startAlertWorker(shared),
    startScheduleWorker(shared),
    startSweepWorker(shared),
  ];
  const stopWaking = keepChannelsAwake(shared);
  const schedules = startScheduleSync(() => syncSchedules(queues.schedules, shared.rules()), logger);
  return {
    stop: () => {
      stopWaking();
      schedules.stop();
      return drainWorkers({ workers, connection, abort: () => aborter.abort(), logger });
    },
    rulesChanged: schedules.requestSync,
    catalogs: async () => (settings.CHECK_REFERENCES ? lookUpCatalogs(accounts, logger) : undefined),
  };
}

/** What the workers of several queues use. */
interface SharedByWorkers extends Omit<StartWorkersOptions, 'rules' | 'accounts'> {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: () => Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly lookups: Lookups;
  readonly store: AlertStore;
  readonly causes: EventCauses;
  readonly limits: RunLimits;
  readonly groups: ConcurrencyGroups;
  readonly raised: RaisedDevices;
  readonly once: OnceClaims;
  readonly approvals: Approvals;
  readonly publicUrl: string | undefined;
  readonly readOnly: boolean;
  readonly alerts: AlertDispatcher;
  readonly retention: Retention;
  readonly policy: RetryPolicy;
  readonly stop: AbortSignal;
  readonly lookPausesMs: readonly number[];
}

const workerOptions = ({ connection, settings, policy, redaction, metrics, logger }: SharedByWorkers) => ({
  connection,
  concurrency: settings.WORKER_CONCURRENCY,
  lockMs: settings.JOB_LOCK_MS,
  policy,
  redact: redaction.redact,
  metrics,
  logger,
});

function startEventWorker(shared: SharedByWorkers): RunningWorker {
  const { queues, journal, policy } = shared;
  return startWorker({
    ...workerOptions(shared),
    queue: EVENTS,
    schema: eventJob,
    handle: createEventHandler({ ...shared, events: queues.events, runs: queues.runs }),
    onAbandoned: (job, failure) => failAbandonedEvent(job, failure, { journal, attempts: policy.attempts }),
  });
}

function startRunWorker(shared: SharedByWorkers): RunningWorker {
  const { events, runs } = shared.queues;
  const options = { ...shared, events, runs };
  return startWorker({
    ...workerOptions(shared),
    queue: RUNS,
    schema: runJob,
    handle: createRunHandler(options),
    onAbandoned: (job, failure) => failAbandonedRun(job, failure, options),
  });
}

function startAlertWorker(shared: SharedByWorkers): RunningWorker {
  const { connection, settings, redaction, logger } = shared;
  return startWorker({
    ...workerOptions(shared),
    queue: ALERTS,
    schema: alertJob,
    handle: createAlertHandler({
      ...shared,
      silences: openSilences(connection),
      keepUndeliveredMs: settings.DEAD_LETTER_DAYS * DAY_S * 1000,
      consoleUrl: settings.PUBLIC_URL,
      redact: redaction.redact,
    }),
    // The alerts stay in the store, and the channel is woken again.
    onAbandoned: ({ channel }, failure) =>
      logAbandonedJob(
        logger,
        { channel },
        failure,
        'a job that delivers the messages of a channel was abandoned; the channel is woken again',
      ),
  });
}

function startScheduleWorker(shared: SharedByWorkers): RunningWorker {
  return startWorker({
    ...workerOptions(shared),
    queue: SCHEDULES,
    schema: scheduleJob,
    handle: createScheduleHandler({ ...shared, sweeps: shared.queues.sweeps }),
    onAbandoned: ({ rule }, failure) =>
      logAbandonedJob(shared.logger, { rule }, failure, 'a tick was abandoned'),
  });
}

function startSweepWorker(shared: SharedByWorkers): RunningWorker {
  return startWorker({
    ...workerOptions(shared),
    queue: SWEEPS,
    schema: sweepJob,
    handle: createSweepHandler({ ...shared, events: shared.queues.events }),
    onAbandoned: ({ rule, account }, failure) =>
      logAbandonedJob(shared.logger, { rule, account }, failure, 'a sweep was abandoned'),
  });
}

/** An abandoned job that leaves no record is logged. */
function logAbandonedJob(
  logger: Logger,
  fields: Readonly<Record<string, string>>,
  { reason }: FailureReason,
  message: string,
): Promise<void> {
  logger.error({ code: 'service/job-abandoned', ...fields, reason }, message);
  return Promise.resolve();
}

/** A channel whose job was lost between two alerts is woken this often. */
const WAKE_INTERVAL_MS = 2000;

/** Wakes the channels with something to send again and again. Returns how to stop that. */
function keepChannelsAwake({ connection, settings, store, queues, logger }: SharedByWorkers): () => void {
  const interval = setInterval(() => {
    if (connection.status !== 'ready' || settings.READ_ONLY) return;
    wakeBusyChannels(store, queues.alerts).catch((error: unknown) =>
      logger.debug({ reason: errorText(error) }, 'the channels could not be woken'),
    );
  }, WAKE_INTERVAL_MS);
  interval.unref();
  return () => clearInterval(interval);
}
