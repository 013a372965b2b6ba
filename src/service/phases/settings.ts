import type { DestinationStream } from 'pino';
import { readAccounts } from '../../config/accounts.js';
import type { Account } from '../../config/accounts.js';
import type { EnvFile } from '../../config/env-file.js';
import { parseRedisUrl, passwordsOf } from '../../config/redis-url.js';
import { readSettings, settingWarnings } from '../../config/settings.js';
import type { Role, Settings } from '../../config/settings.js';
import { createLogger } from '../../telemetry/logger.js';
import type { Logger } from '../../telemetry/logger.js';
import { createMetrics } from '../../telemetry/metrics.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createRedaction } from '../../telemetry/redaction.js';
import type { Redaction } from '../../telemetry/redaction.js';
import { createShutdown } from '../shutdown.js';
import type { Shutdown } from '../shutdown.js';

/** How to start a process of the service. */
export interface ServiceOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly roles: readonly Role[];
  /** The file that `env` was completed from. */
  readonly envFile?: EnvFile;
  /** Where log lines go; standard output by default. */
  readonly logTo?: DestinationStream;
}

/** What every later phase needs. Nothing in it has to be stopped. */
export interface ServiceContext {
  readonly env: NodeJS.ProcessEnv;
  readonly envFile: EnvFile | undefined;
  readonly roles: readonly Role[];
  readonly settings: Settings;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly redaction: Redaction;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

/**
 * Phase 1: reads the settings and accounts, and opens the log, which masks every secret in them.
 *
 * @throws OperatorError for bad settings or accounts.
 */
export function readServiceSettings({ env, roles, envFile, logTo }: ServiceOptions): ServiceContext {
  const settings = readSettings(env, roles);
  const accounts = readAccounts(settings, env, roles);
  const redaction = createRedaction(secretsIn(settings, accounts));
  const logger = createLogger({
    level: settings.LOG_LEVEL,
    redact: redaction.redact,
    ...(logTo && { destination: logTo }),
  });
  for (const { code, message } of settingWarnings(env)) logger.warn({ code }, message);
  return {
    env,
    envFile,
    roles,
    settings,
    accounts,
    redaction,
    logger,
    metrics: createMetrics(),
    shutdown: createShutdown(logger),
  };
}

function secretsIn(settings: Settings, accounts: ReadonlyMap<string, Account>): (string | undefined)[] {
  const { REDIS_URL: redisUrl } = settings;
  return [
    settings.ADMIN_TOKEN,
    ...(redisUrl === undefined ? [] : passwordsOf(parseRedisUrl(redisUrl))),
    ...[...accounts.values()].flatMap((account) => [account.apiKey, ...account.webhookTokens]),
  ];
}
