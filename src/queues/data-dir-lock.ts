import { rename, rm } from 'node:fs/promises';
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
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const server = createServer((socket) => socket.end());
    try {
      await listen(server, socketPath);
      server.unref();
      return () => new Promise((resolve) => server.close(() => resolve()));
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') throw error;
      if (!(await clearAway(socketPath))) break;
    }
  }
  throw new OperatorError([
    `DATA_DIR ${dataDir}: another mdm-reflex is using it; stop that one, or give this one a DATA_DIR of its own`,
  ]);
}

/** Two that start at the same moment may each clear away a socket before one of them has the lock. */
const ATTEMPTS = 5;

/**
 * Clears away a socket that a killed process left behind. It is renamed first, which only one can do, and looked at again: what answers
 * then is somebody's lock after all and is put back.
 *
 * @returns Whether the way is free; false when the socket is in use.
 */
async function clearAway(socketPath: string): Promise<boolean> {
  if (await isAnswering(socketPath)) return false;
  const aside = `${socketPath}.${process.pid}`;
  try {
    await rename(socketPath, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
  if (await isAnswering(aside)) {
    await rename(aside, socketPath);
    return false;
  }
  await rm(aside, { force: true });
  return true;
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
