import { OperatorError } from './config/operator-error.js';
import { createEnvReload } from './service/env-reload.js';
import { listenForRequests } from './service/phases/http-server.js';
import { openQueues } from './service/phases/queues.js';
import { proveRedis } from './service/phases/prove-redis.js';
import { openRoutes } from './service/phases/ready.js';
import { connectRedis } from './service/phases/redis.js';
import { loadLiveRules } from './service/phases/rules.js';
import { readServiceSettings } from './service/phases/settings.js';
import type { ServiceContext, ServiceOptions } from './service/phases/settings.js';
import { startServiceWorkers } from './service/phases/workers.js';
import type { Logger } from './telemetry/logger.js';

/** A running process of the service. */
export interface Service {
  /** Where it listens. */
  readonly url: string;
  readonly logger: Logger;
  /**
   * Resolves when the process works. Until then webhooks get 503: it waits for a Redis that is unreachable, loading, read-only or full.
   * Rejects with an OperatorError when that Redis turns out to be unusable.
   */
  readonly running: Promise<void>;
  /** Stops every part in order (`STOP_ORDER` in service/shutdown.ts). A second call waits for the first. */
  readonly stop: () => Promise<void>;
  /** Reads `.env` and the rule files now. A process with rules also reads changed files without this call. */
  readonly reloadRules: () => Promise<void>;
}

/**
 * Starts a process of the service with the given roles, phase by phase.
 *
 * @returns As soon as the process works, or waits for Redis.
 * @throws OperatorError for bad settings, accounts or rules, a busy port, a private Redis that does not start, or a Redis that cannot be used.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const context = readServiceSettings(options);
  const envReload = createEnvReload(context);
  const loaded = await loadLiveRules(context, envReload);
  const rules = loaded?.rules;
  if (rules !== undefined) context.shutdown.add('live rules', () => rules.stop());
  try {
    const server = await listenForRequests(context, rules);
    const redis = await connectRedis(context);
    let onWaiting = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (onWaiting = resolve));
    const running = (async () => {
      const health = await proveRedis(context, redis, server, () => onWaiting());
      if (health === undefined || context.shutdown.isStopping()) return;
      const queues = openQueues(context, redis, rules);
      if (loaded !== undefined) startServiceWorkers(context, redis, loaded);
      openRoutes(context, server, queues, rules, health);
    })();
    // A failure after this call reaches whoever awaits `running`.
    running.catch((error: unknown) => onFailure(context, error));
    await Promise.race([running, waiting]);
    return {
      url: server.url,
      logger: context.logger,
      running,
      stop: context.shutdown.run,
      reloadRules: async () => {
        if (rules === undefined) envReload?.apply(envReload.read());
        else await rules.reload();
      },
    };
  } catch (error) {
    await context.shutdown.run();
    throw error;
  }
}

/** The log names what ended the start, also when it had waited for Redis. */
function onFailure({ logger }: ServiceContext, error: unknown): void {
  const problems = error instanceof OperatorError ? error.problems : [];
  for (const { code, message } of problems) logger.fatal({ code }, message);
}
