import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../../config/settings.js';
import { connectForRequests, connectForWorkers, redisWarnings } from '../../queues/connection.js';
import type { RedisAddress } from '../../queues/connection.js';
import { openShards } from '../../queues/shards.js';
import type { RedisClient, Shards } from '../../queues/shards.js';
import { startPrivateRedis } from '../../queues/private-redis.js';
import { errorText } from '../../telemetry/error-text.js';
import type { Logger } from '../../telemetry/logger.js';
import type { Shutdown } from '../shutdown.js';
import type { ServiceContext } from './settings.js';

/** The connections of a process. */
export interface RedisConnections {
  /** For callers who wait for an answer: a command fails at once while Redis is unreachable. */
  readonly requests: Shards;
  /** For workers: a command waits for Redis. */
  readonly workers: Shards;
}

/** A Redis that hangs must not delay the stop. */
const QUIT_TIMEOUT_MS = 1000;

/**
 * Phase 4: connects to REDIS_URL, or starts the private Redis and connects to that. Does not wait until Redis answers.
 * Stopped last: the connections first, then the private Redis.
 *
 * @throws OperatorError when the private Redis does not start.
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
  requests.once('ready', () => {
    redisWarnings(requests).then(
      (warnings) => warnings.forEach(({ code, message }) => logger.warn({ code }, message)),
      (error: unknown) =>
        logger.debug({ reason: errorText(error) }, 'the configuration of Redis could not be read'),
    );
  });
  return { requests: openShards(requests), workers: openShards(workers) };
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
