import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Express } from 'express';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';
import { expressMessages } from './express-messages.js';

/** A listening HTTP server. */
export interface Listener {
  /** `http://host:port` with the actual port. */
  readonly url: string;
  /** Stops accepting connections and waits up to two seconds for open requests. */
  readonly close: () => Promise<void>;
}

// A client that sends slowly must not hold a connection for long.
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Longer than the idle timeout of common proxies, which otherwise send a webhook into a connection that is closing. */
const KEEP_ALIVE_MS = 130_000;
const CLOSE_TIMEOUT_MS = 2000;

/**
 * Listens for HTTP requests.
 *
 * @param port - 0 selects a free port.
 * @throws OperatorError when the service cannot listen on the address.
 */
export async function listen(app: Express, host: string, port: number): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 2000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      ...expressMessages(app),
    },
    app,
  );
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new OperatorError([
      {
        code: 'settings/cannot-listen',
        message: `HOST ${host}, PORT ${port}: ${listenProblem(errorCode(error))}`,
      },
    ]);
  }
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listenProblem(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'another program uses this port; stop it, or choose another PORT';
  if (code === 'EACCES') return 'this user may not use this port; choose a PORT above 1023';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine has no such address; choose another HOST';
  return `cannot listen (${code ?? 'unknown reason'})`;
}
