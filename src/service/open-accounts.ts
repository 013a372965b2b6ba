import type { Account } from '../config/accounts.js';
import type { Settings } from '../config/settings.js';
import type { Shards } from '../queues/shards.js';
import { sealingKey } from '../runs/run-secrets.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createDeviceReads } from '../simplemdm/device-reads.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { createSharedRateLimiter } from '../simplemdm/shared-rate-limiter.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { watchAnswers } from './watch-answers.js';
import { watchAccounts } from './watch-accounts.js';

/** What all accounts share. */
export interface OpenAccountsOptions {
  readonly settings: Pick<Settings, 'API_RATE' | 'API_TIMEOUT_MS'>;
  /** Holds the rate limit of each account, which all processes share. */
  readonly shards: Shards;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborts the calls in flight when the process stops. */
  readonly signal: AbortSignal;
}

/** Creates an API client and cached lists for each account that has an API key. */
export function openAccounts(
  accounts: ReadonlyMap<string, Account>,
  { settings, shards, metrics, logger, signal }: OpenAccountsOptions,
): ReadonlyMap<string, AccountAccess> {
  const rate = { perSecond: settings.API_RATE, burst: 2 * settings.API_RATE };
  const watch = watchAccounts(shards.home, logger);
  const onWarning = watchAnswers(metrics, logger);
  return new Map(
    [...accounts.values()].flatMap(({ name, apiKey, baseUrl }): [string, AccountAccess][] => {
      if (apiKey === undefined) return [];
      const api = createSimpleMdm({
        account: name,
        apiKey,
        baseUrl,
        timeoutMs: settings.API_TIMEOUT_MS,
        signal,
        rateLimiter: createSharedRateLimiter(shards.of(name), name, rate),
        // The jobs of a paused account return to the queue, so that workers are free for other accounts.
        maxPauseWaitMs: 0,
        onWarning,
        onCircuitChange: (state) => {
          metrics.apiCircuitOpen.set({ account: name }, state === 'open' ? 1 : 0);
          if (state === 'open')
            logger.error(
              { code: 'service/simplemdm-unavailable', account: name },
              'SimpleMDM does not respond: events of the account wait, and the service tries again every few seconds',
            );
          else logger.info({ account: name }, 'SimpleMDM responds again');
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
      const lists = createCachedLists(api);
      const deviceReads = createDeviceReads(api);
      return [[name, { api, lists, deviceReads, sealingKey: sealingKey(apiKey) }]];
    }),
  );
}

/** Calls each account once, so that a wrong key shows at the start and not when the first device enrolls. */
export function checkAccounts(accounts: ReadonlyMap<string, AccountAccess>, logger: Logger): void {
  for (const [name, { api }] of accounts) {
    api.account.show().then(
      (account) =>
        logger.info({ account: name, simplemdm: account.attributes.name }, 'connected to SimpleMDM'),
      (error: unknown) => {
        // watchAccounts reports a refused key.
        if (error instanceof SimpleMdmError && error.failure.status === 401) return;
        logger.warn(
          { code: 'service/simplemdm-unavailable', account: name, reason: errorText(error) },
          'SimpleMDM cannot be reached; events wait until it can',
        );
      },
    );
  }
}
