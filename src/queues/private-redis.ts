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
import { makeDataFolder } from './data-dir.js';
import { isAnswering, lockDataDir } from './data-dir-lock.js';

/** The embedded default: a Redis that belongs to this service alone and keeps its data in `DATA_DIR`. */
export interface PrivateRedis {
  readonly socketPath: string;
  /** Writes what is in memory to disk and ends the Redis; resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/** Unix socket paths are at most 104 bytes on macOS, 108 on Linux. */
const LONGEST_SOCKET_PATH = 100;
/** Loading a large append-only file takes time. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 4000;
const RESTART_DELAY_MS = 500;

/**
 * Starts the private Redis. One that an earlier process left over when it was killed is stopped first, its data kept.
 *
 * It listens on a Unix socket only, that none but this user can open; it is append-only, synced every second, and never
 * evicts. Should it die while the service runs, it is started again.
 *
 * @throws OperatorError when there is no redis-server or valkey-server, when another service uses the folder, or when it does not start.
 */
export async function startPrivateRedis(dataDir: string, logger: Logger): Promise<PrivateRedis> {
  const folder = join(dataDir, 'redis');
  await makeDataFolder(dataDir, folder);
  const socketPath = privateRedisSocket(dataDir);
  await makePrivate(dirname(socketPath));
  const unlock = await lockDataDir(dataDir, join(dirname(socketPath), 'owner.sock'));
  try {
    let stopping = false;
    let child: ChildProcess | undefined;
    const start = async (): Promise<void> => {
      const binary = await findRedisBinary();
      child = launch(binary, folder, socketPath);
      child.once('exit', (code, signal) => {
        child = undefined;
        if (stopping) return;
        logger.error({ code, signal }, 'the private Redis ended; starting it again');
        delay(RESTART_DELAY_MS)
          .then(() => (stopping ? undefined : start()))
          .catch((error: unknown) =>
            logger.fatal({ reason: errorText(error) }, 'the private Redis could not be started again'),
          );
      });
      await untilReady(socketPath, folder, () => child === undefined);
    };
    if (await isAnswering(socketPath)) {
      // Its data is in the append-only file; one of our own can be watched and is ended with us.
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

/** Where the private Redis of a data folder listens: in the folder, or in a short one when that path is too long for a socket. */
export function privateRedisSocket(dataDir: string): string {
  return join(socketFolder(join(dataDir, 'redis')), 'redis.sock');
}

function socketFolder(folder: string): string {
  if (Buffer.byteLength(join(folder, 'owner.sock')) <= LONGEST_SOCKET_PATH) return folder;
  return join(tmpdir(), `mdm-reflex-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
}

/** Makes a folder that is this user's alone: in a shared folder for temporary files somebody else could have made it first. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new OperatorError([
      `DATA_DIR: ${folder} belongs to somebody else; choose a shorter DATA_DIR, so that it is not needed`,
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
    'REDIS_URL is not set and neither redis-server nor valkey-server is installed: install one (apt-get install redis-server, brew install redis), or set REDIS_URL to a Redis that is there',
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
    // Its own process group: Ctrl-C in a terminal must reach the service only, which stops Redis last.
    { stdio: 'ignore', detached: true },
  );
  child.once('error', () => child.emit('exit', null, null));
  child.unref();
  return child;
}

async function untilReady(socketPath: string, folder: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let lastProblem = 'it does not answer';
  while (Date.now() < deadline && !hasEnded()) {
    try {
      await ask(socketPath, (redis) => redis.ping());
      return;
    } catch (error) {
      lastProblem = errorText(error);
      await delay(25);
    }
  }
  const log = await readFile(join(folder, 'redis.log'), 'utf8').catch(() => '');
  const lastLines = log.trim().split('\n').slice(-3).join(' | ');
  throw new OperatorError([
    `the private Redis in ${folder} did not start (${lastProblem}); its log ends: ${lastLines || '(empty)'}`,
  ]);
}

async function ask<T>(socketPath: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    path: socketPath,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 2000,
    connectTimeout: 2000,
    // After a refused connection ioredis keeps this timer running, and the process with it.
    disconnectTimeout: 50,
  });
  // Failures reach the caller through the promises below; the event must only not be unhandled.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function shutDown(socketPath: string, child: ChildProcess | undefined, logger: Logger): Promise<void> {
  // SHUTDOWN is answered by a closed connection; whether it worked shows in the socket.
  await ask(socketPath, (redis) => redis.call('SHUTDOWN', 'NOSAVE')).catch(() => undefined);
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const gone =
      child === undefined
        ? !(await isAnswering(socketPath).catch(() => true))
        : child.exitCode !== null || child.signalCode !== null;
    if (gone) return;
    await delay(20);
  }
  logger.error('the private Redis did not stop in time; ending it');
  // It does not answer; what it was told is in its append-only file.
  child?.kill('SIGKILL');
}
