import type { Redis } from 'ioredis';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { connectForRequests } from '../queues/connection.js';
import type { RedisAddress } from '../queues/connection.js';
import { acceptsConnections } from '../queues/data-dir-lock.js';
import { openShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import { privateRedisSocket } from '../queues/private-redis.js';
import { createLogger } from '../telemetry/logger.js';

const CONNECT_TIMEOUT_MS = 3000;

/**
 * Runs a command on the Redis of the service: the one of `REDIS_URL`, or the private Redis of a service on this machine.
 *
 * @throws OperatorError when no service runs here, or Redis is unreachable.
 */
export async function withRedis<T>(
  env: NodeJS.ProcessEnv,
  work: (shards: Shards, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = readSettings(env, []);
  const redis = connectForRequests(
    await addressOf(settings),
    createLogger({ level: 'silent', redact: (text) => text }),
  );
  try {
    await waitUntilReady(redis);
    return await work(openShards(redis), settings);
  } finally {
    redis.disconnect();
  }
}

async function addressOf(settings: Settings): Promise<RedisAddress> {
  if (settings.REDIS_URL !== undefined) return { url: settings.REDIS_URL };
  const socketPath = privateRedisSocket(settings.DATA_DIR);
  if (await acceptsConnections(socketPath)) return { socketPath };
  throw new OperatorError([
    {
      code: 'cli/no-service',
      message: `no service runs with DATA_DIR ${settings.DATA_DIR}; start the service ("mdm-reflex serve"), run this command where the service runs, or set REDIS_URL to its Redis`,
    },
  ]);
}

async function waitUntilReady(redis: Redis): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let lastError = 'no response';
    const timer = setTimeout(
      () =>
        reject(
          new OperatorError([
            { code: 'redis/unreachable', message: `Redis is unreachable: ${lastError}; check REDIS_URL` },
          ]),
        ),
      CONNECT_TIMEOUT_MS,
    );
    redis.on('error', (error: Error) => (lastError = error.message));
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
