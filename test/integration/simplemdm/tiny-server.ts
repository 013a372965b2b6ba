import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A server with a handler of the test, for responses that the simulator never gives. */
export interface TinyServer {
  readonly url: string;
  /** `GET /path?query` of every request so far. */
  readonly requests: string[];
  /** How many connections clients have opened. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

export async function startTinyServer(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TinyServer> {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    request.once('end', () => respond(request, response));
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends a JSON response. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
