import { openStorageProbe } from '../../coordination/storage-probe.js';
import type { RedisCheck } from '../../queues/check-redis.js';
import { retentionOf } from '../../queues/retention.js';
import { waitForRedis, watchRedis } from '../redis-health.js';
import type { RedisHealth } from '../redis-health.js';
import type { HttpServer } from './http-server.js';
import type { RedisConnections } from './redis.js';
import type { ServiceContext } from './settings.js';

/**
 * Phase 5: waits until Redis passes every check and stores a probe, and goes on proving that. Meanwhile `/readyz` says why it does not.
 *
 * @param onWaiting - Called when the wait may take long: Redis is unreachable, loading, read-only or full.
 * @returns Undefined when the service stops meanwhile.
 * @throws OperatorError for a problem that does not pass by itself.
 */
export async function proveRedis(
  { settings, logger, shutdown }: ServiceContext,
  { requests, target }: RedisConnections,
  server: HttpServer,
  onWaiting: () => void,
): Promise<RedisHealth | undefined> {
  const probe = openStorageProbe(retentionOf(settings));
  shutdown.add('queues', () => probe.close());
  const check: RedisCheck = {
    redis: requests.redis,
    target,
    shards: requests.all,
    storeProbe: probe.store,
  };
  const isReady = await waitForRedis({
    check,
    logger,
    isStopping: shutdown.isStopping,
    onProblem: (problem) => {
      server.reportRedis(() => problem);
      if (problem !== undefined && !problem.isPermanent && problem.isSettling !== true) onWaiting();
    },
  });
  if (!isReady) return undefined;
  const health = watchRedis({ check, logger });
  shutdown.add('queues', () => {
    health.stop();
    return Promise.resolve();
  });
  server.reportRedis(health.problem);
  return health;
}
