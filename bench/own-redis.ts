import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A Redis of its own for one bench, with the settings that production is told to use. */
export interface OwnRedis {
  readonly url: string;
  readonly pid: number;
  readonly client: Redis;
  readonly stop: () => Promise<void>;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Starts a Redis in a temporary folder. */
export async function startRedis(): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'mdm-reflex-bench-'));
  const port = await freePort();
  const settings = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...settings],
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null });
  // The first attempts come before Redis listens.
  client.on('error', () => undefined);
  await client.ping();
  return {
    url,
    pid: child.pid ?? 0,
    client,
    stop: async () => {
      client.disconnect();
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The memory that Redis uses and the number of its keys. */
export async function redisSize(client: Redis): Promise<{ bytes: number; keys: number }> {
  const memory = await client.info('memory');
  return { bytes: Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? 0), keys: await client.dbsize() };
}
