import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { OperatorError } from '../config/operator-error.js';
import { parseRedisUrl } from '../config/redis-url.js';
import type { RedisCluster, RedisTarget, RedisTls, SentinelRedis, SingleRedis } from '../config/redis-url.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { batchWrites } from './batched-writes.js';
import { passReadyCheckWithoutInfo } from './ready-check.js';
import { RenewingSentinelConnector } from './sentinel-connector.js';

/** The address of Redis: a URL, or the Unix socket of the private Redis. */
export type RedisAddress = { readonly url: string } | { readonly socketPath: string };

/** A connection to one Redis, to the master that Sentinels name, or to a cluster. */
export type RedisClient = Redis | Cluster;

/** What becomes of a command while Redis is unreachable: it fails at once, or it waits. */
export type WhileUnreachable = 'fail' | 'wait';

/** How long a command may take before it fails, for callers who do not wait. */
const COMMAND_TIMEOUT_MS = 5000;

/**
 * How long a server may take to close a connection that we close. After a fail-over the old master may be frozen. ioredis also lets a
 * connection that was refused keep the process alive for this time.
 */
const DISCONNECT_TIMEOUT_MS = 250;

const reconnectDelay = (attempt: number): number => Math.min(attempt * 100, 2000);

/** What one connection does while it is not ready. */
function connectionOptions(connectionName: string, whileUnreachable: WhileUnreachable) {
  const common = {
    connectionName,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    // How soon a Redis is asked again that reads its data from disk.
    maxLoadingRetryTime: 1000,
  };
  return whileUnreachable === 'wait'
    ? { ...common, maxRetriesPerRequest: null }
    : {
        ...common,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        commandTimeout: COMMAND_TIMEOUT_MS,
      };
}

/**
 * Opens a connection of any kind. It reconnects by itself, follows a fail-over, and logs the loss and the return of Redis once each.
 *
 * @throws OperatorError when the file of the option `ca` cannot be read.
 */
export function openConnection(
  address: RedisAddress,
  name: string,
  whileUnreachable: WhileUnreachable,
  logger: Logger,
): RedisClient {
  const target = 'url' in address ? parseRedisUrl(address.url) : address;
  const redis = connect(target, name, whileUnreachable);
  if (redis instanceof Redis) prepare(redis);
  else {
    redis.on('+node', (node: Redis) => {
      prepare(node);
      // The first command would open the connection, and others would fail meanwhile.
      if (node.status === 'wait') node.connect().catch(() => undefined);
    });
  }
  // ioredis reports every failed attempt: log only the loss of the connection and the reconnection.
  let lost = false;
  redis.on('error', (error: Error) => {
    const reason = reasonOf(error);
    lastErrors.set(redis, reason);
    if (!lost)
      logger.error(
        { code: 'redis/unreachable', reason, connection: name },
        'Redis is unreachable; reconnecting',
      );
    lost = true;
  });
  redis.on('ready', () => {
    lastErrors.delete(redis);
    if (lost) logger.info({ connection: name }, 'reconnected to Redis');
    lost = false;
  });
  return redis;
}

function prepare(redis: Redis): void {
  passReadyCheckWithoutInfo(redis);
  batchWrites(redis);
}

const lastErrors = new WeakMap<RedisClient, string>();

/** Why a connection is not ready, in the words of Redis or of the system; undefined when it is, or was never tried. */
export function lastErrorOf(redis: RedisClient): string | undefined {
  return lastErrors.get(redis);
}

/**
 * Waits until a connection takes commands: in a cluster, until the one to each master does.
 *
 * @returns Whether it does, before the time is over.
 */
export async function connectedWithin(redis: RedisClient, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  const isReady = (): boolean =>
    redis.status === 'ready' &&
    (redis instanceof Redis || redis.nodes('master').every(({ status }) => status === 'ready'));
  while (!isReady()) {
    if (Date.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

/** ioredis hides why the nodes of a cluster cannot be reached in a field of its own. */
function reasonOf(error: Error): string {
  const inner =
    'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
  return errorText(inner);
}

function connect(
  target: RedisTarget | { readonly socketPath: string },
  name: string,
  whileUnreachable: WhileUnreachable,
): RedisClient {
  const common = connectionOptions(name, whileUnreachable);
  const enableOfflineQueue = whileUnreachable === 'wait';
  if (!('kind' in target))
    return new Redis({
      ...common,
      enableOfflineQueue,
      retryStrategy: reconnectDelay,
      path: target.socketPath,
    });
  switch (target.kind) {
    case 'single':
      return new Redis({
        ...common,
        ...loginOf(target),
        enableOfflineQueue,
        retryStrategy: reconnectDelay,
        host: target.host,
        port: target.port,
        db: target.database,
      });
    case 'cluster':
      return connectToCluster(target, common, whileUnreachable);
    case 'sentinel':
      return connectBySentinels(target, { ...common, enableOfflineQueue }, whileUnreachable);
  }
}

/** User, password and TLS as ioredis takes them. */
export function loginOf({
  username,
  password,
  tls,
}: SingleRedis | RedisCluster | SentinelRedis): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
  };
}

function tlsOptions({ ca }: RedisTls): { ca?: Buffer } {
  if (ca === undefined) return {};
  try {
    return { ca: readFileSync(ca) };
  } catch (error) {
    throw new OperatorError([
      {
        code: 'redis/ca-file',
        message: `REDIS_URL: the file ${ca} of the option ca cannot be read: ${errorText(error)}`,
      },
    ]);
  }
}

/** A fail-over takes the time in which the nodes agree that the master is gone, 15 seconds by default, and the vote. */
const CLUSTER_WAIT = { retryDelayOnFailover: 500, retryDelayOnClusterDown: 500, maxRedirections: 120 };
/** The sender of a webhook repeats it; it must not wait for a fail-over. */
const CLUSTER_FAIL = { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, maxRedirections: 16 };

function connectToCluster(
  target: RedisCluster,
  common: ReturnType<typeof connectionOptions>,
  whileUnreachable: WhileUnreachable,
): Cluster {
  return new Cluster([...target.nodes], {
    ...(whileUnreachable === 'wait' ? CLUSTER_WAIT : CLUSTER_FAIL),
    enableOfflineQueue: whileUnreachable === 'wait',
    clusterRetryStrategy: reconnectDelay,
    retryDelayOnMoved: 20,
    slotsRefreshTimeout: 3000,
    // The certificates of the nodes name hosts: do not turn them into IP addresses.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: { ...common, ...loginOf(target) },
  });
}

const SENTINEL_TIMEOUT_MS = 2000;

function connectBySentinels(
  target: SentinelRedis,
  common: ReturnType<typeof connectionOptions> & { readonly enableOfflineQueue: boolean },
  whileUnreachable: WhileUnreachable,
): Redis {
  const login = loginOf(target);
  return new Redis({
    ...common,
    ...login,
    Connector: RenewingSentinelConnector,
    retryStrategy: reconnectDelay,
    sentinels: [...target.sentinels],
    name: target.master,
    role: 'master',
    db: target.database,
    sentinelRetryStrategy: reconnectDelay,
    // Ask the next Sentinel when one accepts connections and never answers.
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    // Leaves the old master as soon as a Sentinel announces the new one.
    failoverDetector: true,
    // A master that has become a replica without closing its connections.
    reconnectOnError: (error) =>
      // Before Redis 7 the error of a script only contains it.
      error.message.includes('READONLY') && (whileUnreachable === 'wait' ? 2 : 1),
    ...(target.sentinelUsername !== undefined && { sentinelUsername: target.sentinelUsername }),
    ...(target.sentinelPassword !== undefined && { sentinelPassword: target.sentinelPassword }),
    ...(login.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: login.tls }),
  });
}
