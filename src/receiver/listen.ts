import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';

/** An HTTP server that listens. */
export interface Listener {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Takes no new connections and lets requests in hand finish, for two seconds at most. */
  readonly close: () => Promise<void>;
}

/** A sender that dribbles its headers or body must not hold a connection for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Longer than usual proxies keep an idle connection: else they send a webhook into one that is just being closed. */
const KEEP_ALIVE_MS = 130_000;
const CLOSE_TIMEOUT_MS = 2000;

/**
 * Listens for HTTP.
 *
 * @param port - 0 takes any free one.
 * @throws OperatorError when the address cannot be taken.
 */
export async function listen(handler: RequestListener, host: string, port: number): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 2000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    handler,
  );
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new OperatorError([`HOST ${host}, PORT ${port}: ${whyNot(errorCode(error))}`]);
  }
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
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

function whyNot(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'another program listens there; stop it, or choose another PORT';
  if (code === 'EACCES') return 'this user may not listen there; choose a PORT above 1023';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine has no such address; choose another HOST';
  return `cannot listen (${code ?? 'unknown reason'})`;
}
