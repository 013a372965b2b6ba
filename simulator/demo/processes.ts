import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';

/** A process of the demo. */
export interface DemoProcess {
  /** Its latest output, for error messages. */
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  /** Sends SIGTERM and waits for the end of the process; SIGKILL after 30 seconds. */
  readonly stop: () => Promise<void>;
}

const STOP_TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 20_000;

/**
 * Starts a compiled program of this package.
 *
 * @param program - The path below `dist`.
 */
export function startProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): DemoProcess {
  const child = spawn(process.execPath, [distPath(program), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches only the demo, which stops its processes in order.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MAX_OUTPUT)));
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    output: () => output,
    hasEnded,
    stop: async () => {
      if (!hasEnded()) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a compiled program of this package to its end and returns its output. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = startProcess(program, args, env);
  await waitFor(`${program} ${args.join(' ')} ends`, () => Promise.resolve(child.hasEnded()));
  await child.stop();
  return child.output();
}

function distPath(program: string): string {
  return fileURLToPath(new URL(`../../${program}`, import.meta.url));
}

/** Waits for a condition, at most 30 seconds. */
export async function waitFor(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`timed out after 30 seconds: ${what}`);
    await delay(50);
  }
}

/** The preferred port if it is free, else any free port. */
export function freePort(preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (preferred === 0 ? reject(error) : resolve(freePort(0))));
    server.listen(preferred, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : preferred));
    });
  });
}
