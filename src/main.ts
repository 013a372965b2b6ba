import { setTimeout as delay } from 'node:timers/promises';
import type { DestinationStream } from 'pino';
import { startWorkers } from './service/start-workers.js';
import type { RunningWorkers } from './service/start-workers.js';
import { secretsOf } from './rules/model/rule-secrets.js';
import { openLiveRules } from './service/live-rules.js';
import type { LiveRules } from './service/live-rules.js';
import { serviceVocabulary } from './actions/service-vocabulary.js';
import { readAccounts } from './config/accounts.js';
import type { Account } from './config/accounts.js';
import { readSettings, settingWarnings } from './config/settings.js';
import type { Role, Settings } from './config/settings.js';
import { apiRoutes } from './console/api-routes.js';
import type { ApiBackend } from './console/api-routes.js';
import { pageRoutes } from './console/page-routes.js';
import {
  REPORT_INTERVAL_MS,
  readReport,
  createRulesReport,
  rulesReport,
  writeReport,
} from './console/rules-report.js';
import type { RulesReport } from './console/rules-report.js';
import { openJournal } from './journal/journal.js';
import { connectForRequests, connectForWorkers, redisWarnings } from './queues/connection.js';
import type { RedisAddress } from './queues/connection.js';
import { startPrivateRedis } from './queues/private-redis.js';
import {
  openAlertQueue,
  openEventQueue,
  openRunQueue,
  openScheduleQueue,
  openSweepQueue,
  retentionOf,
} from './queues/queues.js';
import { healthRoutes } from './receiver/health-routes.js';
import { createHttpApp } from './receiver/http-app.js';
import { createIntake } from './receiver/intake.js';
import type { Intake } from './receiver/intake.js';
import { listen } from './receiver/listen.js';
import { readinessOf } from './service/readiness.js';
import type { ReadinessSources } from './service/readiness.js';
import { webhookRoutes } from './receiver/webhook-routes.js';
import { errorText } from './telemetry/error-text.js';
import { createLogger } from './telemetry/logger.js';
import type { Logger } from './telemetry/logger.js';
import { createMetrics } from './telemetry/metrics.js';
import { createRedaction, redactJson } from './telemetry/redaction.js';

/** How a process of the service is started. */
export interface ServiceOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly roles: readonly Role[];
  /** Where log lines go; standard output by default. */
  readonly logTo?: DestinationStream;
}

/** A process of the service that runs. */
export interface Service {
  /** Where it listens. */
  readonly url: string;
  readonly logger: Logger;
  /** Stops in order: webhooks, jobs, connections, the private Redis. Safe to call more than once. */
  readonly stop: () => Promise<void>;
  /** Reads the rule files now. They are read by themselves as well when they change. */
  readonly reloadRules: () => Promise<void>;
}

/** What is known of this process, for `/readyz` and for the routes that must wait until it is ready. */
interface State {
  stopping: boolean;
  rules: LiveRules | undefined;
  intake: Intake | undefined;
  backend: ApiBackend | undefined;
}

/**
 * Starts a process of the service with the given roles.
 *
 * It listens before Redis is there, so that webhooks meanwhile are told 503 and health checks are answered.
 *
 * @throws OperatorError for bad settings, rules, accounts, or a private Redis that does not start.
 */
export async function startService({ env, roles, logTo }: ServiceOptions): Promise<Service> {
  const settings = readSettings(env, roles);
  const accounts = readAccounts(settings, env, roles);
  const redaction = createRedaction(secretsOfSettings(settings, accounts));
  const logger = createLogger({
    level: settings.LOG_LEVEL,
    redact: redaction.redact,
    ...(logTo && { destination: logTo }),
  });
  for (const warning of settingWarnings(env)) logger.warn(warning);
  const vocabulary = serviceVocabulary(env, accounts.keys());
  const metrics = createMetrics();
  let workers: RunningWorkers | undefined;
  const rules = roles.includes('worker')
    ? await openLiveRules({
        path: settings.RULES_PATH,
        vocabulary,
        onRules: (found, first) => {
          const count = found.rules.length;
          redaction.add(secretsOf(found, env));
          metrics.rules.set(count);
          metrics.ruleProblems.set(0);
          if (found.warnings.length > 0) {
            logger.warn({ warnings: found.warnings }, 'the rule files have what is probably a mistake');
          }
          if (first) return;
          logger.info({ rules: count }, 'other rules are in force');
          // When the rules have been put in force.
          setImmediate(() => workers?.rulesChanged());
        },
        catalogs: async () => workers?.catalogs(),
        onReferenceProblems: (problems) => {
          metrics.ruleProblems.set(problems.length);
          if (problems.length === 0) logger.info('what the rules name is there at SimpleMDM now');
          else logger.error({ problems }, 'rules name what is not there at SimpleMDM: their steps will fail');
        },
        onProblems: (problems) => {
          metrics.ruleProblems.set(problems.length);
          logger.error({ problems }, 'the rule files have problems: the rules of before stay in force');
        },
      })
    : undefined;
  if (settings.READ_ONLY && roles.includes('worker')) {
    logger.warn('READ_ONLY is on: everything is decided and traced, and nothing is sent');
  }
  if (rules?.current().length === 0) {
    logger.warn(
      { path: settings.RULES_PATH },
      'there are no rules in RULES_PATH: events are recorded and nothing is done',
    );
  }

  const state: State = { stopping: false, rules, intake: undefined, backend: undefined };
  const closers: (() => Promise<unknown>)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopInOrder(state, closers, logger));
  try {
    const listener = await listen(
      httpApp(settings, accounts, roles, state, metrics, logger),
      settings.HOST,
      settings.PORT,
    );
    closers.push(() => listener.close());
    const address = await redisAddress(settings, logger, closers);
    const requests = connectForRequests(address, logger);
    const connection = connectForWorkers(address, logger);
    closers.push(() => closeConnections(requests, connection));
    requests.once('ready', () => {
      redisWarnings(requests).then(
        (warnings) => warnings.forEach((warning) => logger.warn(warning)),
        (error: unknown) =>
          logger.debug({ reason: errorText(error) }, 'the memory policy of Redis is not known'),
      );
    });

    const retention = retentionOf(settings);
    const queues = { events: openEventQueue(requests, retention), runs: openRunQueue(requests, retention) };
    for (const queue of [queues.events, queues.runs]) {
      metrics.watchQueue(queue.name, () =>
        requests.status === 'ready' ? queue.getJobCounts() : Promise.resolve({}),
      );
    }
    closers.push(() => Promise.all([queues.events.close(), queues.runs.close()]));
    const journal = openJournal(requests, retention, redaction.redact);
    const schedules = openScheduleQueue(requests, retention);
    closers.push(() => schedules.close());
    const ownReport = (): RulesReport | undefined =>
      // A problem shows a line of a file, and somebody may have written a secret there.
      rules && rulesReport.parse(redactJson(redaction.redact, createRulesReport(rules)));
    const report = async (): Promise<RulesReport | undefined> => ownReport() ?? readReport(requests);
    state.backend = { redis: requests, ...queues, schedules, journal, report };
    const tellReport = (): void => {
      const own = ownReport();
      if (own === undefined || requests.status !== 'ready') return;
      writeReport(requests, own).catch((error: unknown) =>
        logger.debug({ reason: errorText(error) }, 'what is in force could not be told to the receivers'),
      );
    };
    requests.once('ready', tellReport);
    const reporting = setInterval(tellReport, REPORT_INTERVAL_MS);
    reporting.unref();
    closers.push(() => {
      clearInterval(reporting);
      return Promise.resolve();
    });

    if (rules !== undefined) {
      closers.push(() => rules.stop());
      const workerQueues = {
        events: openEventQueue(connection, retention),
        runs: openRunQueue(connection, retention),
        alerts: openAlertQueue(connection, retention),
        schedules: openScheduleQueue(connection, retention),
        sweeps: openSweepQueue(connection, retention),
      };
      for (const queue of Object.values(workerQueues)) closers.push(() => queue.close());
      const started = startWorkers({
        settings,
        env,
        accounts,
        rules,
        connection,
        queues: workerQueues,
        journal: openJournal(connection, retention, redaction.redact),
        metrics,
        logger,
        redaction,
      });
      closers.push(() => started.stop());
      workers = started;
      // It waits for Redis, as the start must not.
      started.rulesChanged();
    }
    if (roles.includes('receiver')) {
      state.intake = createIntake({ redis: requests, queue: queues.events, journal });
      warnAboutOpenDoors(settings, accounts, logger);
    }
    logger.info(
      { url: listener.url, roles, rules: rules?.current().length ?? 0, accounts: [...accounts.keys()] },
      'mdm-reflex runs',
    );
    return { url: listener.url, logger, stop, reloadRules: async () => rules?.reload() };
  } catch (error) {
    await stop();
    await rules?.stop();
    throw error;
  }
}

function httpApp(
  settings: Settings,
  accounts: ReadonlyMap<string, Account>,
  roles: readonly Role[],
  state: State,
  metrics: ReturnType<typeof createMetrics>,
  logger: Logger,
) {
  const forReceiver = roles.includes('receiver')
    ? [
        webhookRoutes({
          accounts,
          intake: () => state.intake,
          metrics,
          logger,
        }),
        apiRoutes({ adminToken: settings.ADMIN_TOKEN, backend: () => state.backend }),
        pageRoutes(),
      ]
    : [];
  return createHttpApp({
    logger,
    trustProxy: settings.TRUST_PROXY,
    routers: [healthRoutes(() => readinessOf(readinessSources(state, accounts)), metrics), ...forReceiver],
  });
}

function readinessSources(
  { stopping, backend, rules }: State,
  configured: ReadonlyMap<string, Account>,
): ReadinessSources {
  return {
    stopping,
    redis: backend?.redis,
    rules: rules && {
      count: rules.current().length,
      problems: rules.problems().length + rules.referenceProblems().length,
    },
    accounts: new Set(configured.keys()),
  };
}

async function redisAddress(
  settings: Settings,
  logger: Logger,
  closers: (() => Promise<unknown>)[],
): Promise<RedisAddress> {
  if (settings.REDIS_URL !== undefined) return { url: settings.REDIS_URL };
  const redis = await startPrivateRedis(settings.DATA_DIR, logger);
  closers.push(() => redis.stop());
  return { socketPath: redis.socketPath };
}

function secretsOfSettings(
  settings: Settings,
  accounts: ReadonlyMap<string, Account>,
): (string | undefined)[] {
  const { REDIS_URL: redisUrl } = settings;
  const password = redisUrl === undefined ? undefined : decodeURIComponent(new URL(redisUrl).password);
  return [
    settings.ADMIN_TOKEN,
    password,
    ...[...accounts.values()].flatMap((account) => [account.apiKey, ...account.webhookTokens]),
  ];
}

function warnAboutOpenDoors(
  settings: Settings,
  accounts: ReadonlyMap<string, Account>,
  logger: Logger,
): void {
  if ([...accounts.values()].some((account) => account.webhookTokens.length === 0)) {
    logger.warn('WEBHOOK_TOKEN is not set: anybody who reaches this port can post webhooks');
  }
  if (settings.ADMIN_TOKEN === undefined)
    logger.warn(
      'ADMIN_TOKEN is not set: anybody who reaches this port can read the events, replay them and release what is held',
    );
}

/** A Redis that hangs must not hold up the stop. */
const QUIT_TIMEOUT_MS = 1000;

async function closeConnections(
  ...connections: { disconnect: () => void; quit: () => Promise<unknown>; status: string }[]
): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      // QUIT lets what was sent be answered; a Redis that is away can only be dropped.
      if (connection.status === 'ready') {
        await Promise.race([
          connection.quit().catch(() => undefined),
          delay(QUIT_TIMEOUT_MS, undefined, { ref: false }),
        ]);
      }
      connection.disconnect();
    }),
  );
}

/** The door is shut first, and what had come in is answered; then what was opened last is closed first. */
async function stopInOrder(state: State, closers: (() => Promise<unknown>)[], logger: Logger): Promise<void> {
  state.stopping = true;
  const [shutDoor, ...others] = closers;
  for (const close of [...(shutDoor ? [shutDoor] : []), ...others.reverse()]) {
    await close().catch((error: unknown) =>
      logger.error({ reason: errorText(error) }, 'something did not close cleanly'),
    );
  }
  if (state.backend !== undefined) logger.info('mdm-reflex has stopped');
  logger.flush();
}
