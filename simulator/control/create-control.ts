import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure, notFound, unprocessable, type ApiResponse } from '../api/response.js';
import { readRequest } from '../api/read-request.js';
import { matchRoute } from '../api/route.js';
import { writeResponse } from '../api/write-response.js';
import { controlRoutes, type SimulatorControls } from './routes.js';

export const controlRoot = '/__simulator';

/** Creates the listener for everything under `/__simulator`: needs no key, serves this machine only. */
export function createControl(
  controls: SimulatorControls,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = controlRoutes(controls);
  return async (request, response) => {
    const startedAt = performance.now();
    writeResponse(request, response, await handle(), startedAt);

    async function handle(): Promise<ApiResponse> {
      if (!isLoopback(request.socket.remoteAddress)) {
        return failure(403, 'the simulator accepts control requests from its own machine only');
      }
      const read = await readRequest(request);
      const match = matchRoute(routes, read.method, read.path.slice(controlRoot.length));
      if (match === undefined) return notFound();
      if (!read.wellFormed) return failure(400, 'the request body could not be read');
      try {
        return match.route.handle({ path: match.path, body: read.body });
      } catch (error) {
        // The simulator refuses the request, for example because a group does not exist.
        return unprocessable(error instanceof Error ? error.message : String(error));
      }
    }
  };
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
