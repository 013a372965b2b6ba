import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './redis.js';
import { until } from './until.js';

/** The certificate of the test servers; it names 127.0.0.1 and is its own authority. */
export const TEST_CERT = resolve('test/support/tls/cert.pem');
const TEST_KEY = resolve('test/support/tls/key.pem');

/** How to reach and configure a server. */
export interface ServerOptions {
  readonly tls: boolean;
  readonly password?: string;
  /** More settings, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A configuration file that the server may rewrite, as Sentinels do. Without it the settings are arguments. */
  readonly sentinel?: boolean;
}

/** A running redis-server of a test: a node of a cluster, a replica, or a Sentinel. */
export interface Server {
  readonly port: number;
  /** A connection of the test's own. */
  readonly client: Redis;
  /** Ends it as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same port, with its data. */
  readonly start: () => Promise<void>;
  /** Stops every reaction for a time without closing connections, as a frozen machine does. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** Ends it and removes its data. */
  readonly stop: () => Promise<void>;
}

/** Starts a redis-server and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { tls, password, settings = {}, sentinel = false } = options;
  const dir = await mkdtemp(join(tmpdir(), 'mdm-reflex-test-redis-'));
  const port = await freePort();
  const all: Record<string, string> = {
    bind: '127.0.0.1',
    dir,
    save: '',
    port: tls ? '0' : String(port),
    ...(tls && {
      'tls-port': String(port),
      'tls-cert-file': TEST_CERT,
      'tls-key-file': TEST_KEY,
      'tls-ca-cert-file': TEST_CERT,
      'tls-auth-clients': 'no',
      'tls-replication': 'yes',
    }),
    ...(password !== undefined && { requirepass: password }),
    ...(!sentinel && {
      appendonly: 'yes',
      'maxmemory-policy': 'noeviction',
      ...(password !== undefined && { masterauth: password }),
    }),
    ...settings,
  };
  const configFile = join(dir, 'sentinel.conf');
  if (sentinel) await writeConfig(configFile, all);
  const launch = (): ChildProcess =>
    spawn(
      'redis-server',
      sentinel
        ? [configFile, '--sentinel']
        : Object.entries(all).flatMap(([name, value]) => [
            `--${name}`,
            ...(name === 'replicaof' ? value.split(' ') : [value]),
          ]),
      { stdio: 'ignore' },
    );
  let child = launch();
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...(password !== undefined && { password }),
    ...(tls && { tls: { rejectUnauthorized: false } }),
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
    // After a refused connection ioredis keeps this timer, and with it the process.
    disconnectTimeout: 50,
    enableReadyCheck: false,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await exited;
  };
  const untilItAnswers = (): Promise<unknown> =>
    until(`the server on ${port} answers`, async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      if (client.status !== 'ready') {
        if (client.status === 'wait') void client.connect().catch(() => undefined);
        return false;
      }
      await client.ping();
      return true;
    });
  await untilItAnswers().catch(async (error: unknown) => {
    client.disconnect();
    await kill();
    throw error;
  });
  return {
    port,
    client,
    kill,
    start: async () => {
      child = launch();
      await untilItAnswers();
    },
    signal: (signal) => void child.kill(signal),
    stop: async () => {
      client.disconnect();
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function writeConfig(path: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) =>
    // A Sentinel has several lines of the same name: they are separated by newlines.
    value
      .split('\n')
      .map((each) => `${name} ${each === '' ? '""' : each}`)
      .join('\n'),
  );
  await writeFile(path, `${lines.join('\n')}\n`);
}

/** Stops several servers, even when one fails to. */
export async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

/** Starts several servers. When one does not start, the others are stopped. */
export async function startAll<T extends Server>(starts: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results = await Promise.allSettled(starts.map((start) => start()));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return started;
  await stopAll(started);
  throw failed.reason;
}
