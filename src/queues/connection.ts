import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { UserProblem } from '../errors/user-problem.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { batchWrites } from './batched-writes.js';

/** The address of Redis: a URL, or the Unix socket of the private Redis. */
export type RedisAddress = { readonly url: string } | { readonly socketPath: string };

/** The prefix of every Redis key, including those of the queues. */
export const KEY_PREFIX = 'mdm-reflex';

/** How long a command may take before it fails. */
const COMMAND_TIMEOUT_MS = 5000;

const reconnectDelay = (attempt: number): number => Math.min(attempt * 100, 2000);

type ConnectionOptions = Pick<
  RedisOptions,
  | 'connectionName'
  | 'enableOfflineQueue'
  | 'autoResendUnfulfilledCommands'
  | 'maxRetriesPerRequest'
  | 'commandTimeout'
>;

function connect(address: RedisAddress, options: ConnectionOptions, logger: Logger): Redis {
  const base = { ...options, retryStrategy: reconnectDelay };
  const redis =
    'url' in address ? new Redis(address.url, base) : new Redis({ ...base, path: address.socketPath });
  batchWrites(redis);
  // ioredis reports every failed attempt: log only the loss of the connection and the reconnection.
  let lost = false;
  redis.on('error', (error: Error) => {
    if (!lost)
      logger.error(
        { code: 'redis/unreachable', reason: error.message, connection: options.connectionName },
        'Redis is unreachable; reconnecting',
      );
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) logger.info({ connection: options.connectionName }, 'reconnected to Redis');
    lost = false;
  });
  return redis;
}

/**
 * Connects for callers that wait for a response: the receiver, the JSON API, the command line. While Redis is
 * unreachable, commands fail immediately instead of queuing up in memory.
 */
export function connectForRequests(address: RedisAddress, logger: Logger): Redis {
  return connect(
    address,
    {
      connectionName: `${KEY_PREFIX}-requests`,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
    },
    logger,
  );
}

/** Connects for workers: commands wait until Redis is reachable, as BullMQ requires. */
export function connectForWorkers(address: RedisAddress, logger: Logger): Redis {
  return connect(address, { connectionName: `${KEY_PREFIX}-workers`, maxRetriesPerRequest: null }, logger);
}

/**
 * A warning for each setting of Redis that could lose events.
 * A Redis that evicts keys under memory pressure drops queued events silently.
 */
export async function redisWarnings(redis: Redis): Promise<UserProblem[]> {
  const info = await redis.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return [];
  return [
    {
      code: 'redis/eviction-policy',
      message: `Redis may delete queued events when its memory is full: maxmemory-policy is "${policy}"; set it to "noeviction"`,
    },
  ];
}

/** Why a command would wait for the connection: for callers whose sender needs a response immediately. Undefined when it would not. */
export function problemWithConnection({ status }: { readonly status: string }): Error | undefined {
  return status === 'ready' ? undefined : new Error(`Redis is unreachable (connection ${status})`);
}

/** Whether an error means that Redis is unreachable or did not respond in time. */
export function isRedisUnreachable(error: unknown): boolean {
  return /Command timed out|Connection is closed|Stream isn't writeable|max retries per request|ECONN|EPIPE|ETIMEDOUT/i.test(
    errorText(error),
  );
}

/** The results of a pipeline. Throws the first error among them. */
export function pipelineResults(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}
