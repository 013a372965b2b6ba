import { rename, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';

/**
 * Locks a data folder, so that only one process uses it. The lock is a listening Unix socket: the kernel releases it when
 * the process ends, so it cannot go stale as a PID file can.
 *
 * @returns A function that releases the lock.
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
      if (!(await removeStaleSocket(socketPath))) break;
    }
  }
  throw new OperatorError([
    {
      code: 'redis/data-dir-in-use',
      message: `DATA_DIR ${dataDir}: another mdm-reflex process uses it; stop that process, or set another DATA_DIR`,
    },
  ]);
}

/** Processes that start at the same moment may each remove a socket before one of them gets the lock. */
const ATTEMPTS = 5;

/**
 * Removes a socket that a killed process left behind. The rename is atomic, so only one process gets the socket. If the
 * renamed socket still accepts connections, it is a valid lock and is restored.
 *
 * @returns False when the socket is in use.
 */
async function removeStaleSocket(socketPath: string): Promise<boolean> {
  if (await acceptsConnections(socketPath)) return false;
  const renamed = `${socketPath}.${process.pid}`;
  try {
    await rename(socketPath, renamed);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
  if (await acceptsConnections(renamed)) {
    await rename(renamed, socketPath);
    return false;
  }
  await rm(renamed, { force: true });
  return true;
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
}

/** Whether a process accepts connections on a Unix socket. */
export function acceptsConnections(socketPath: string): Promise<boolean> {
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
