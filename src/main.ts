import { createEnvReload } from './service/env-reload.js';
import { listenForRequests } from './service/phases/http-server.js';
import { openQueues } from './service/phases/queues.js';
import { openRoutes } from './service/phases/ready.js';
import { connectRedis } from './service/phases/redis.js';
import { loadLiveRules } from './service/phases/rules.js';
import { readServiceSettings } from './service/phases/settings.js';
import type { ServiceOptions } from './service/phases/settings.js';
import { startServiceWorkers } from './service/phases/workers.js';
import type { Logger } from './telemetry/logger.js';

/** A running process of the service. */
export interface Service {
  /** Where it listens. */
  readonly url: string;
  readonly logger: Logger;
  /** Stops every part in order (`STOP_ORDER` in service/shutdown.ts). A second call waits for the first. */
  readonly stop: () => Promise<void>;
  /** Reads `.env` and the rule files now. A process with rules also reads changed files without this call. */
  readonly reloadRules: () => Promise<void>;
}

/**
 * Starts a process of the service with the given roles, phase by phase.
 *
 * @throws OperatorError for bad settings, accounts or rules, a busy port, or a private Redis that does not start.
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
    const queues = openQueues(context, redis, rules);
    if (loaded !== undefined) startServiceWorkers(context, redis, loaded);
    openRoutes(context, server, queues, rules);
    return {
      url: server.url,
      logger: context.logger,
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
