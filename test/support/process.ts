import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './redis.js';
import { until } from './until.js';

/** The compiled command line; script/test builds it before the tests run. */
export const CLI = resolve('dist/src/cli/main.js');

/** A real process of the service. */
export interface ServiceProcess {
  readonly pid: number;
  /** Everything it wrote so far. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const running = new Set<ServiceProcess>();

/** Starts `mdm-reflex` with nothing of the test's own environment but the path. */
export function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = process.cwd(),
): ServiceProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((resolve_) => {
    child.once('close', (code, signal) => resolve_(code ?? signal ?? 0));
  });
  const started: ServiceProcess = {
    pid: child.pid ?? 0,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    ended,
  };
  running.add(started);
  void ended.then(() => running.delete(started));
  return started;
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const started = startProcess(args, env, cwd);
  return { code: await started.ended, output: started.output() };
}

/** Ends every process that a test left behind; for afterEach. */
export async function endAllProcesses(): Promise<void> {
  for (const left of [...running]) {
    left.kill('SIGKILL');
    await left.ended;
  }
}

/** Waits until a service answers `/readyz` with 200. */
async function untilReady(url: string, service: ServiceProcess): Promise<void> {
  let over = false;
  void service.ended.then(() => (over = true));
  await until(`${url} is ready`, async () => {
    if (over) throw new Error(`the service ended:\n${service.output()}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  });
}

/** Starts a role of the service, on a free port unless PORT is given, and waits until it is ready. */
export async function startReadyProcess(
  role: string,
  env: Readonly<Record<string, string>>,
): Promise<ServiceProcess & { readonly url: string }> {
  const port = env['PORT'] ?? String(await freePort());
  const service = startProcess([role], { ...env, PORT: port });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, service);
  return { ...service, url };
}

/** A temporary folder with the given files in it. */
export async function temporaryFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mdm-reflex-e2e-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
