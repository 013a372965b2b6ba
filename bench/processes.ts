import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { freePort } from './own-redis.js';

const running = new Set<ChildProcess>();

/** A process that a bench started. */
export interface BenchProcess {
  readonly pid: number;
  readonly url: string;
  readonly child: ChildProcess;
  /** Stops it where it is, without its knowledge. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly kill: () => Promise<void>;
}

/** Forks a server of `bench/servers`, which sends its URL when it listens. */
export async function forkServer(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<BenchProcess> {
  const child = fork(fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url)), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  running.add(child);
  return benchProcess(child, String((await once(child, 'message'))[0]));
}

/** Starts a role of the service, compiled and in its own process as users run it, and waits until it is ready. */
export async function startRole(
  role: 'serve' | 'receiver' | 'worker',
  env: Readonly<Record<string, string>>,
): Promise<BenchProcess> {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL('../src/cli/main.js', import.meta.url)), [role], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  running.add(child);
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`the role ${role} ended at its start`);
    await delay(50);
  }
  return benchProcess(child, url);
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

function benchProcess(child: ChildProcess, url: string): BenchProcess {
  return {
    pid: child.pid ?? 0,
    url,
    child,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Ends every process that the bench started. */
export async function endProcesses(): Promise<void> {
  for (const child of [...running]) await end(child);
}

/** The resident memory of a process in MB (Linux). */
export async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}

/** `USER_HZ` of Linux: the unit of the times in `/proc/<pid>/stat`. */
const TICKS_PER_SECOND = 100;

/** The CPU time that a process has used, in milliseconds (Linux). Other work on the machine hardly changes it. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain spaces; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** A temporary rule file. */
export async function ruleFile(text: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'mdm-reflex-bench-'));
  const path = join(dir, 'rules.yaml');
  await writeFile(path, text);
  return { path, remove: () => rm(dir, { recursive: true, force: true }) };
}

const token = randomBytes(24).toString('hex');

/** The environment of a service in a bench. The API rate does not limit it. */
export function serviceEnv(urls: { redis: string; rules: string; api: string }): Record<string, string> {
  return {
    REDIS_URL: urls.redis,
    RULES_PATH: urls.rules,
    SIMPLEMDM_API_KEY: 'key-of-the-benchmark',
    SIMPLEMDM_BASE_URL: `${urls.api}/api/v1`,
    WEBHOOK_TOKEN: token,
    ADMIN_TOKEN: token.toUpperCase(),
    API_RATE: '1000',
  };
}

/** Where a receiver takes webhooks. */
export function webhookUrl({ url }: BenchProcess): string {
  return `${url}/webhooks/simplemdm/${token}`;
}

const counts = z.object({ posts: z.number(), reads: z.number() });

/** The calls that the bare API has answered: writes, and reads of devices. */
export async function callCounts({ url }: BenchProcess): Promise<{ posts: number; reads: number }> {
  return counts.parse(await (await fetch(`${url}/api/v1/counts`)).json());
}
