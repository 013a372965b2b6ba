import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../../config/settings.js';
import { parseRedisUrl } from '../../config/redis-url.js';
import type { RedisTarget } from '../../config/redis-url.js';
import { connectForRequests, connectForWorkers } from '../../queues/connection.js';
import type { RedisAddress } from '../../queues/open-connection.js';
import { openShards } from '../../queues/shards.js';
import type { RedisClient, Shards } from '../../queues/shards.js';
import { startPrivateRedis } from '../../queues/private-redis.js';
import type { Logger } from '../../telemetry/logger.js';
import type { Shutdown } from '../shutdown.js';
import type { ServiceContext } from './settings.js';

/** The connections of a process. */
export interface RedisConnections {
  /** For callers who wait for an answer: a command fails at once while Redis is unreachable. */
  readonly requests: Shards;
  /** For workers: a command waits for Redis. */
  readonly workers: Shards;
  /** What REDIS_URL names; undefined for the private Redis. */
  readonly target: RedisTarget | undefined;
}

/** A Redis that hangs must not delay the stop. */
const QUIT_TIMEOUT_MS = 1000;

/**
 * Phase 4: connects to REDIS_URL, or starts the private Redis and connects to that. Does not wait until Redis answers.
 * Stopped last: the connections first, then the private Redis.
 *
 * @throws OperatorError when the private Redis does not start, or a file that REDIS_URL names cannot be read.
 */
export async function connectRedis({
  settings,
  logger,
  shutdown,
}: ServiceContext): Promise<RedisConnections> {
  const address = await redisAddress(settings, logger, shutdown);
  const requests = connectForRequests(address, logger);
  const workers = connectForWorkers(address, logger);
  shutdown.add('Redis connections', () => closeConnections(requests, workers));
  const target = 'url' in address ? parseRedisUrl(address.url) : undefined;
  const count = target?.kind === 'cluster' ? settings.REDIS_SHARDS : undefined;
  return { requests: openShards(requests, count), workers: openShards(workers, count), target };
}

async function redisAddress(settings: Settings, logger: Logger, shutdown: Shutdown): Promise<RedisAddress> {
  if (settings.REDIS_URL !== undefined) return { url: settings.REDIS_URL };
  const redis = await startPrivateRedis(settings.DATA_DIR, logger);
  shutdown.add('private Redis', () => redis.stop());
  return { socketPath: redis.socketPath };
}

async function closeConnections(...connections: readonly RedisClient[]): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      // QUIT waits for the answers to what was sent; an unreachable Redis can only be disconnected.
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
