import type { UserProblem } from '../errors/user-problem.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { parseRedisUrl } from '../config/redis-url.js';
import { connectForRequests } from '../queues/connection.js';
import { diagnoseRedis } from '../queues/diagnose-redis.js';
import { connectedWithin, lastErrorOf } from '../queues/open-connection.js';
import type { RedisAddress } from '../queues/open-connection.js';
import { storedShardCount } from '../queues/shard-count.js';
import { acceptsConnections } from '../queues/data-dir-lock.js';
import { openShards } from '../queues/shards.js';
import type { RedisClient, Shards } from '../queues/shards.js';
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
  const address = await addressOf(settings);
  const redis = connectForRequests(address, createLogger({ level: 'silent', redact: (text) => text }));
  try {
    await waitUntilReady(redis, address);
    const isCluster = 'url' in address && parseRedisUrl(address.url).kind === 'cluster';
    // The count that the service uses, whatever the environment of the command is.
    const count = isCluster ? ((await storedShardCount(redis)) ?? settings.REDIS_SHARDS) : undefined;
    return await work(openShards(redis, count), settings);
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

async function waitUntilReady(redis: RedisClient, address: RedisAddress): Promise<void> {
  if (!(await connectedWithin(redis, CONNECT_TIMEOUT_MS)))
    throw new OperatorError([await unreachable(redis, address)]);
}

async function unreachable(redis: RedisClient, address: RedisAddress): Promise<UserProblem> {
  if ('url' in address) {
    const { code, message } = await diagnoseRedis(parseRedisUrl(address.url));
    return {
      code,
      message: code === 'redis/unreachable' ? `Redis is unreachable: ${message}; check REDIS_URL` : message,
    };
  }
  return {
    code: 'redis/unreachable',
    message: `Redis is unreachable: ${lastErrorOf(redis) ?? 'no response'}`,
  };
}
