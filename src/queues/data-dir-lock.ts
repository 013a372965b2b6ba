import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';

/**
 * Makes sure that one process at a time uses a data folder. The lock is a listening Unix socket: the kernel drops it with
 * the process, however it ends, so there is no process id to go stale.
 *
 * @returns A function that gives the lock back.
 * @throws OperatorError when another process holds it.
 */
export async function lockDataDir(dataDir: string, socketPath: string): Promise<() => Promise<void>> {
  if (await isAnswering(socketPath)) {
    throw new OperatorError([
      `DATA_DIR ${dataDir}: another mdm-reflex is using it; stop that one, or give this one a DATA_DIR of its own`,
    ]);
  }
  // Left over by a process that was killed.
  await rm(socketPath, { force: true });
  const server = createServer((socket) => socket.end());
  await listen(server, socketPath);
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
}

/** Whether anything accepts connections on a Unix socket. */
export function isAnswering(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}
