import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { OperatorError } from '../config/operator-error.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { createDataFolder } from './data-dir.js';
import { acceptsConnections, lockDataDir } from './data-dir-lock.js';

/** A Redis process that the service runs for itself. Its data is in `DATA_DIR`. */
export interface PrivateRedis {
  readonly socketPath: string;
  /** Stops Redis and resolves when its process has ended. The append-only file keeps the data. */
  readonly stop: () => Promise<void>;
}

/** Unix socket paths are at most 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100;
/** Loading a large append-only file takes time. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 4000;
const RESTART_DELAY_MS = 500;

/**
 * Starts the private Redis and restarts it when it exits. First stops a Redis that a killed service left running.
 *
 * Redis listens only on a Unix socket that this user alone can open, appends every write to a file that is synced every
 * second, and never evicts keys.
 *
 * @throws OperatorError when neither redis-server nor valkey-server is installed, when another process uses the folder, or
 * when Redis does not start.
 */
export async function startPrivateRedis(dataDir: string, logger: Logger): Promise<PrivateRedis> {
  const folder = join(dataDir, 'redis');
  await createDataFolder(dataDir, folder);
  const socketPath = privateRedisSocket(dataDir);
  await createOwnFolder(dataDir, dirname(socketPath));
  const unlock = await lockDataDir(dataDir, join(dirname(socketPath), 'owner.sock'));
  try {
    let stopping = false;
    let child: ChildProcess | undefined;
    const start = async (): Promise<void> => {
      const binary = await findRedisBinary();
      child = launch(binary, folder, socketPath);
      child.once('exit', (exitCode, signal) => {
        child = undefined;
        if (stopping) return;
        logger.error(
          { code: 'redis/private-exited', exitCode, signal },
          'the private Redis exited; restarting it',
        );
        delay(RESTART_DELAY_MS)
          .then(() => (stopping ? undefined : start()))
          .catch((error: unknown) =>
            logger.fatal(
              { code: 'redis/private-start-failed', reason: errorText(error) },
              'the private Redis did not restart',
            ),
          );
      });
      await waitUntilReady(socketPath, folder, () => child === undefined);
    };
    if (await acceptsConnections(socketPath)) {
      // Only a child process can be watched and restarted. The append-only file keeps the data.
      logger.info({ socketPath }, 'stopping the private Redis that an earlier process left running');
      await shutDown(socketPath, undefined, logger);
    }
    await start();
    return {
      socketPath,
      stop: async () => {
        stopping = true;
        await shutDown(socketPath, child, logger);
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** The socket path of the private Redis: in the data folder, or in a temporary folder when that path is too long for a socket. */
export function privateRedisSocket(dataDir: string): string {
  return join(socketFolder(join(dataDir, 'redis')), 'redis.sock');
}

function socketFolder(folder: string): string {
  if (Buffer.byteLength(join(folder, 'owner.sock')) <= MAX_SOCKET_PATH_BYTES) return folder;
  return join(tmpdir(), `mdm-reflex-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
}

/** Creates a folder and checks its owner: in a shared temporary folder another user could have created it first. */
async function createOwnFolder(dataDir: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new OperatorError([
      {
        code: 'redis/data-dir',
        message: `DATA_DIR ${dataDir}: the socket folder ${folder} belongs to another user; set a shorter DATA_DIR, which needs no such folder`,
      },
    ]);
  }
}

async function findRedisBinary(): Promise<string> {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      if (folder === '') continue;
      const path = join(folder, name);
      if (
        await access(path, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
  }
  throw new OperatorError([
    {
      code: 'redis/not-installed',
      message:
        'REDIS_URL is not set, and neither redis-server nor valkey-server is installed: install one (apt-get install redis-server, brew install redis), or set REDIS_URL',
    },
  ]);
}

function launch(binary: string, folder: string, socketPath: string): ChildProcess {
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: folder,
    logfile: join(folder, 'redis.log'),
    loglevel: 'notice',
    daemonize: 'no',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
  };
  const child = spawn(
    binary,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    // A separate process group: Ctrl-C must reach only the service, which stops Redis last.
    { stdio: 'ignore', detached: true },
  );
  child.once('error', () => child.emit('exit', null, null));
  child.unref();
  return child;
}

async function waitUntilReady(socketPath: string, folder: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let lastProblem = 'no response';
  while (Date.now() < deadline && !hasEnded()) {
    try {
      await withRedis(socketPath, (redis) => redis.ping());
      return;
    } catch (error) {
      lastProblem = errorText(error);
      await delay(25);
    }
  }
  const log = await readFile(join(folder, 'redis.log'), 'utf8').catch(() => '');
  const lastLines = log.trim().split('\n').slice(-3).join(' | ');
  throw new OperatorError([
    {
      code: 'redis/private-start-failed',
      message: `the private Redis in ${folder} did not start (${lastProblem}); its log ends: ${lastLines || '(empty)'}`,
    },
  ]);
}

async function withRedis<T>(socketPath: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    path: socketPath,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 2000,
    connectTimeout: 2000,
    // ioredis keeps this timer, and with it the process, alive after a refused connection.
    disconnectTimeout: 50,
  });
  // The promises below report failures. Without a listener the event would end the process.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function shutDown(socketPath: string, child: ChildProcess | undefined, logger: Logger): Promise<void> {
  // Redis closes the connection without a reply, so the result shows only in the process or the socket.
  await withRedis(socketPath, (redis) => redis.call('SHUTDOWN', 'NOSAVE')).catch(() => undefined);
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ended =
      child === undefined
        ? !(await acceptsConnections(socketPath).catch(() => true))
        : child.exitCode !== null || child.signalCode !== null;
    if (ended) return;
    await delay(20);
  }
  // The append-only file keeps the data.
  logger.error(
    { code: 'redis/private-stop-timeout', timeoutMs: STOP_TIMEOUT_MS },
    'the private Redis did not stop in time; killing it',
  );
  child?.kill('SIGKILL');
}
