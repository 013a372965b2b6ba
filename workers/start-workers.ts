import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Account } from '../src/config/accounts.js';
import type { Settings } from '../src/config/settings.js';
import { openCauses } from '../src/journal/causes.js';
import { openAlertStore } from '../src/alerts/alert-store.js';
import { openSilences } from '../src/alerts/silences.js';
import { openChannel } from '../src/channels/open-channel.js';
import type { Channel } from '../src/channels/open-channel.js';
import { openCeilings } from '../src/journal/ceilings.js';
import type { Journal } from '../src/journal/journal.js';
import { openTurns } from '../src/journal/turns.js';
import { alertJob, eventJob, runJob, scheduleJob, sweepJob } from '../src/queues/jobs.js';
import type { AlertJob, EventJob, RunJob, ScheduleJob, SweepJob } from '../src/queues/jobs.js';
import { ALERTS, DAY_S, EVENTS, RUNS, SCHEDULES, SWEEPS } from '../src/queues/queues.js';
import { syncSchedules } from '../src/queues/schedules.js';
import { startWorker } from '../src/queues/worker.js';
import { referentsOfAll } from '../src/actions/referents.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import type { Rule } from '../src/rules/rule.js';
import { openAccounts } from './accounts.js';
import type { AccountAccess } from './accounts.js';
import { createAlertHandler } from './alert-worker.js';
import { createEventHandler } from './event-worker.js';
import { keepSchedules } from './keep-schedules.js';
import type { RulesInForce } from './rules-in-force.js';
import { giveUpRun } from './run-under-way.js';
import { createRunHandler } from './run-worker.js';
import { createScheduleHandler } from './schedule-worker.js';
import { createSweepHandler } from './sweep-worker.js';
import { createTeller, wakeBusyChannels } from './tell.js';
import { watchAccounts } from './watch-accounts.js';

/** What the workers need. */
export interface StartWorkersOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly rules: Pick<RulesInForce, 'current' | 'channels' | 'vocabulary'>;
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
const GRACE_MS = 11_000;
/** Without Redis no job can be finished. */
const GRACE_WITHOUT_REDIS_MS = 2000;
/** Then they have this long to be handed back. */
const HAND_BACK_MS = 3000;

/** The workers of all queues, at work. */
export interface RunningWorkers {
  /** Stops them in order: no new jobs, finish or hand back those in hand. */
  readonly stop: () => Promise<void>;
  /** To be called when other rules are in force, the first ones included. */
  readonly rulesChanged: () => void;
  /** What the accounts have that rules can refer to; undefined when SimpleMDM cannot be asked now. */
  readonly referents: () => Promise<Vocabulary['referents']>;
}

/** A channel whose job was lost between two alerts is woken this often. */
const WAKE_MS = 2000;

/** Starts the workers of all queues. */
export function startWorkers(options: StartWorkersOptions): RunningWorkers {
  const { settings, journal, metrics, logger, connection, queues } = options;
  const rules = (): readonly Rule[] => options.rules.current();
  const vocabulary = (): Vocabulary => options.rules.vocabulary();
  const breakOff = new AbortController();
  const watch = watchAccounts(connection, logger);
  const causes = openCauses(connection);
  const ceilings = openCeilings(connection);
  const turns = openTurns(connection);
  const store = openAlertStore(connection);
  const channels = createChannels(options);
  const teller = createTeller({
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
      handle: createEventHandler({ ...options, ...queues, rules, accounts, causes, turns, teller }),
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
      handle: createRunHandler({
        ...options,
        ...queues,
        rules,
        vocabulary,
        accounts,
        causes,
        ceilings,
        turns,
        teller,
        readOnly: settings.READ_ONLY,
        stop: breakOff.signal,
      }),
      onGivenUp: (job, reason) =>
        giveUpRun(job, reason, { ...queues, rules, journal, turns, ceilings, teller, logger }),
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
      onGivenUp: ({ channel }, reason) => {
        logger.error({ channel, reason }, 'the messages of a channel could not be worked on');
        return Promise.resolve();
      },
    }),
    startWorker({
      ...shared,
      queue: SCHEDULES,
      schema: scheduleJob,
      handle: createScheduleHandler({ rules, accounts, sweeps: queues.sweeps, metrics, logger }),
      onGivenUp: ({ rule }, reason) => {
        logger.error({ rule, reason }, 'a schedule could not be worked through');
        return Promise.resolve();
      },
    }),
    startWorker({
      ...shared,
      queue: SWEEPS,
      schema: sweepJob,
      handle: createSweepHandler({ ...options, rules, accounts, events: queues.events }),
      onGivenUp: ({ rule, account }, reason) => {
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
  }, WAKE_MS);
  waking.unref();
  const schedules = keepSchedules(() => syncSchedules(queues.schedules, rules()), logger);
  const stop = async (): Promise<void> => {
    clearInterval(waking);
    schedules.stop();
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
  const referents = async (): Promise<Vocabulary['referents']> =>
    settings.CHECK_REFERENCES ? referentsInTime(accounts, logger) : undefined;
  return { stop, rulesChanged: schedules.set, referents };
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
): Promise<Vocabulary['referents']> {
  const late = delay(REFERENTS_TIMEOUT_MS, undefined, { ref: false });
  const directories = [...accounts].map(([name, { directory }]) => [name, directory] as const);
  try {
    return await Promise.race([referentsOfAll(directories), late]);
  } catch (error) {
    logger.debug({ reason: errorText(error) }, 'what rules refer to could not be looked up');
    return undefined;
  }
}
