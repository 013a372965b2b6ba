import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from './until.js';

/** A real Redis for one test file, on a loopback port of its own. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it at once and starts it again on the same port with the data of its append-only file. */
  readonly restart: (whileAway?: () => Promise<void>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Starts a Redis with the settings that production is told to use; more can be given. */
export async function startTestRedis(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'mdm-reflex-test-redis-'));
  const port = Number(settings['port'] ?? (await freePort()));
  const password = settings['requirepass'];
  const url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
  const options = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  const launch = () =>
    spawn(
      'redis-server',
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: 'ignore' },
    );
  let child = launch();
  await until('the test Redis answers', () => answers(url)).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  };
  return {
    url,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    restart: async (whileAway) => {
      await end('SIGTERM');
      await whileAway?.();
      child = launch();
      await until('the test Redis answers again', () => answers(url));
    },
    stop: async () => {
      await end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // After a refused connection ioredis keeps its disconnect timer running, and the process with it.
    disconnectTimeout: 50,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/** Every key and value that a Redis holds, as text to search for secrets. */
export async function everythingIn(redis: Redis): Promise<string> {
  const found: unknown[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    found.push(key, type);
    if (type === 'string') found.push(await redis.get(key));
    if (type === 'hash') found.push(await redis.hgetall(key));
    if (type === 'list') found.push(await redis.lrange(key, 0, -1));
    if (type === 'set') found.push(await redis.smembers(key));
    if (type === 'zset') found.push(await redis.zrange(key, '0', '-1'));
    if (type === 'stream') found.push(await redis.xrange(key, '-', '+'));
  }
  return JSON.stringify(found);
}
