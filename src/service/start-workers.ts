import { setMaxListeners } from 'node:events';
import type { Queue } from 'bullmq';
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
import { costNameOf, openCallCosts } from '../coordination/call-costs.js';
import type { CallCosts } from '../coordination/call-costs.js';
import { accountWindow } from '../coordination/account-window.js';
import { openBacklog } from '../coordination/backlog.js';
import type { Backlog } from '../coordination/backlog.js';
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
import type { Journal } from '../journal/journal.js';
import type { ShardStore, ShardStores } from '../coordination/shard-stores.js';
import { openLookups } from '../lookups/lookups.js';
import type { Lookups } from '../lookups/lookups.js';
import type { FailureReason } from '../queues/job-outcome.js';
import { alertJob, laneOf, eventJob, runJob, scheduleJob, sweepJob } from '../queues/jobs.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from '../queues/jobs.js';
import { ALERTS, EVENTS, RUNS, SCHEDULES, SWEEPS } from '../queues/queues.js';
import type { Shard } from '../queues/shards.js';
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
import { flushRegularly, handleInLane, handleInOneLane } from './handle-in-lane.js';
import type { LiveRules } from './live-rules.js';
import { watchBacklogs } from './watch-backlogs.js';
import { lookUpCatalogs } from './look-up-catalogs.js';
import { checkAccounts, openAccounts } from './open-accounts.js';
import { openChannels } from './open-channels.js';

/** What the workers need. */
export interface StartWorkersOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly rules: Pick<LiveRules, 'current' | 'channels' | 'lookups' | 'vocabulary'>;
  /** On a connection for workers. */
  readonly stores: ShardStores;
  readonly alertQueue: Queue<AlertJob>;
  readonly schedules: Queue<ScheduleJob>;
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

/** Starts the workers of all queues: those of events, runs and sweeps for each shard. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { settings, stores, schedules, logger } = options;
  const { shards } = stores;
  const aborter = new AbortController();
  // Each job in progress listens.
  setMaxListeners(0, aborter.signal);
  const accounts = openAccounts(options.accounts, { ...options, shards, signal: aborter.signal });
  checkAccounts(accounts, logger);
  const shared: SharedByWorkers = {
    ...options,
    home: shards.home,
    rules: () => options.rules.current(),
    vocabulary: () => options.rules.vocabulary(),
    accounts,
    channels: openChannels(options.rules, options.env),
    lookups: openLookups({ ...options, sources: options.rules.lookups, signal: aborter.signal }),
    store: openAlertStore(shards.home),
    approvals: openApprovals(shards.home),
    costs: openCallCosts(shards),
    publicUrl: settings.PUBLIC_URL,
    readOnly: settings.READ_ONLY,
    retention: retentionOf(settings),
    policy: {
      attempts: settings.RETRY_ATTEMPTS,
      baseMs: settings.RETRY_BASE_MS,
      maxMs: settings.RETRY_MAX_MS,
    },
    stop: aborter.signal,
    lookPausesMs: settings.INVENTORY_LOOKS_MS,
  };
  const shardsWithBacklogs = stores.all.map((store) => ({ store, backlogs: openBacklogs(store.shard) }));
  const workers = [
    startAlertWorker(shared),
    startScheduleWorker(shared),
    ...shardsWithBacklogs.flatMap(({ store, backlogs }) => startWorkersOfShard(store, backlogs, shared)),
  ];
  const stopWatching = watchBacklogs({
    redis: shards.redis,
    backlogs: shardsWithBacklogs.flatMap(({ backlogs }) => Object.values(backlogs)),
    logger,
  });
  const stopWaking = keepChannelsAwake(shared);
  const flushing = flushRegularly(shared.costs, () => shards.redis.status === 'ready', logger);
  const sync = startScheduleSync(() => syncSchedules(schedules, shared.rules()), logger);
  return {
    stop: async () => {
      stopWaking();
      stopWatching();
      sync.stop();
      await drainWorkers({ workers, redis: shards.redis, abort: () => aborter.abort(), logger });
      await flushing.stop();
    },
    rulesChanged: sync.requestSync,
    catalogs: async () => (settings.CHECK_REFERENCES ? lookUpCatalogs(accounts, logger) : undefined),
  };
}

function openBacklogs(shard: Shard): SharedByShard['backlogs'] {
  return {
    events: openBacklog(shard, EVENTS),
    runs: openBacklog(shard, RUNS),
    sweeps: openBacklog(shard, SWEEPS),
  };
}

function startWorkersOfShard(
  store: ShardStore,
  backlogs: SharedByShard['backlogs'],
  shared: SharedByWorkers,
): readonly RunningWorker[] {
  const { shard, journal } = store;
  const ofShard: SharedByShard = {
    ...shared,
    ...store,
    backlogs,
    causes: openEventCauses(shard),
    limits: openRunLimits(shard),
    groups: openConcurrencyGroups(shard, shared.retention),
    raised: openRaisedDevices(shard, shared.retention),
    once: openOnceClaims(shard),
    alerts: createAlertDispatcher({
      channels: shared.channels,
      store: shared.store,
      queue: shared.alertQueue,
      journal,
      redact: shared.redaction.redact,
      readOnly: shared.readOnly,
    }),
  };
  return [startEventWorker(ofShard), startRunWorker(ofShard), startSweepWorker(ofShard)];
}

/** What the workers of several queues use. */
interface SharedByWorkers extends Omit<StartWorkersOptions, 'rules' | 'accounts'> {
  readonly home: Shard;
  readonly rules: () => readonly Rule[];
  readonly vocabulary: () => Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly lookups: Lookups;
  readonly store: AlertStore;
  readonly approvals: Approvals;
  readonly costs: CallCosts;
  readonly publicUrl: string | undefined;
  readonly readOnly: boolean;
  readonly retention: Retention;
  readonly policy: RetryPolicy;
  readonly stop: AbortSignal;
  readonly lookPausesMs: readonly number[];
}

/** What the workers of a shard use. */
interface SharedByShard extends SharedByWorkers, ShardStore {
  readonly causes: EventCauses;
  readonly limits: RunLimits;
  readonly groups: ConcurrencyGroups;
  readonly raised: RaisedDevices;
  readonly once: OnceClaims;
  readonly alerts: AlertDispatcher;
  readonly backlogs: { readonly events: Backlog; readonly runs: Backlog; readonly sweeps: Backlog };
}

const workerOptions = (shard: Shard, { settings, policy, redaction, metrics, logger }: SharedByWorkers) => ({
  shard,
  concurrency: settings.WORKER_CONCURRENCY,
  lockMs: settings.JOB_LOCK_MS,
  policy,
  redact: redaction.redact,
  metrics,
  logger,
});

function startEventWorker(shared: SharedByShard): RunningWorker {
  const { journal, policy } = shared;
  return startWorker({
    ...workerOptions(shared.shard, shared),
    queue: EVENTS,
    schema: eventJob,
    window: accountWindow<EventJob>(shared.backlogs.events, {
      accountOf: ({ event }) => event.account,
      laneOf,
    }),
    handle: handleInLane(
      createEventHandler(shared),
      ({ event }) => ({ account: event.account, queue: 'events', name: costNameOf(event) }),
      shared.costs,
    ),
    onAbandoned: (job, failure) => failAbandonedEvent(job, failure, { journal, attempts: policy.attempts }),
  });
}

function startRunWorker(shared: SharedByShard): RunningWorker {
  return startWorker({
    ...workerOptions(shared.shard, shared),
    queue: RUNS,
    schema: runJob,
    window: accountWindow<RunJob>(shared.backlogs.runs, { accountOf: ({ event }) => event.account, laneOf }),
    handle: handleInLane(
      createRunHandler(shared),
      ({ event, rule }) => ({ account: event.account, queue: 'runs', name: rule.id }),
      shared.costs,
    ),
    onAbandoned: (job, failure) => failAbandonedRun(job, failure, shared),
  });
}

function startAlertWorker(shared: SharedByWorkers): RunningWorker {
  const { home, stores, settings, redaction, logger } = shared;
  return startWorker({
    ...workerOptions(shared.home, shared),
    queue: ALERTS,
    schema: alertJob,
    handle: createAlertHandler({
      ...shared,
      journal: journalOfAllShards(stores),
      silences: openSilences(home),
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
    ...workerOptions(shared.home, shared),
    queue: SCHEDULES,
    schema: scheduleJob,
    handle: createScheduleHandler({ ...shared, sweepsOf: (account) => shared.stores.of(account).sweeps }),
    onAbandoned: ({ rule }, failure) =>
      logAbandonedJob(shared.logger, { rule }, failure, 'a tick was abandoned'),
  });
}

function startSweepWorker(shared: SharedByShard): RunningWorker {
  return startWorker({
    ...workerOptions(shared.shard, shared),
    queue: SWEEPS,
    schema: sweepJob,
    handle: handleInOneLane('bulk', createSweepHandler(shared)),
    window: accountWindow<SweepJob>(shared.backlogs.sweeps, {
      accountOf: ({ account }) => account,
      laneOf: () => 'bulk',
      asksFirst: true,
    }),
    onAbandoned: ({ rule, account }, failure) =>
      logAbandonedJob(shared.logger, { rule, account }, failure, 'a sweep was abandoned'),
  });
}

/** Records alerts in the traces of all shards: a channel serves every account. */
function journalOfAllShards({ of }: ShardStores): Pick<Journal, 'recordAlerts'> {
  return {
    recordAlerts: async (alerts) => {
      await Promise.all(alerts.map((alert) => of(alert.account).journal.recordAlerts([alert])));
    },
  };
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
function keepChannelsAwake({ home, settings, store, alertQueue, logger }: SharedByWorkers): () => void {
  const interval = setInterval(() => {
    if (home.redis.status !== 'ready' || settings.READ_ONLY) return;
    wakeBusyChannels(store, alertQueue).catch((error: unknown) =>
      logger.debug({ reason: errorText(error) }, 'the channels could not be woken'),
    );
  }, WAKE_INTERVAL_MS);
  interval.unref();
  return () => clearInterval(interval);
}
