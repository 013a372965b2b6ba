import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** Where Redis is: a URL, or the Unix socket of the private Redis. */
export type RedisAddress = { readonly url: string } | { readonly socketPath: string };

/** Every key of this service starts with it, the queues' included. */
export const KEY_PREFIX = 'mdm-reflex';

/** How long a command may take before the caller is told that Redis is away. */
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
  // One line when it goes and one when it is back; ioredis reports every attempt in between.
  let lost = false;
  redis.on('error', (error: Error) => {
    if (!lost)
      logger.error(
        { reason: error.message, connection: options.connectionName },
        'Redis is away; trying again until it is back',
      );
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) logger.info({ connection: options.connectionName }, 'Redis is back');
    lost = false;
  });
  return redis;
}

/**
 * A connection for a caller who waits for an answer (the receiver, the JSON API, the command line): when Redis is away
 * a command fails at once instead of queueing up in memory.
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

/** A connection for workers: commands wait until Redis is back, as BullMQ asks for. */
export function connectForWorkers(address: RedisAddress, logger: Logger): Redis {
  return connect(address, { connectionName: `${KEY_PREFIX}-workers`, maxRetriesPerRequest: null }, logger);
}

/**
 * What is wrong with a Redis for a queue that must lose nothing, in one line each.
 * A Redis that may evict keys under memory pressure drops queued events without a word.
 */
export async function redisWarnings(redis: Redis): Promise<string[]> {
  const info = await redis.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return [];
  return [
    `this Redis may throw queued events away when its memory is full: maxmemory-policy is "${policy}"; set it to "noeviction"`,
  ];
}

/** Whether an error says that Redis could not be reached or did not answer in time. */
export function isRedisAway(error: unknown): boolean {
  return /Command timed out|Connection is closed|Stream isn't writeable|max retries per request|ECONN|EPIPE|ETIMEDOUT/i.test(
    errorText(error),
  );
}

/** The answers of a pipeline; throws the first error among them. */
export function resultsOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}
