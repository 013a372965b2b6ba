import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure, notFound, unprocessable, type Answer } from '../api/answer.js';
import { readRequest } from '../api/read-request.js';
import { matchRoute } from '../api/route.js';
import { writeAnswer } from '../api/write-answer.js';
import { controlRoutes, type Controlled } from './routes.js';

export const controlRoot = '/__simulator';

/** Makes the listener for everything under `/__simulator`: no key, but from this machine only. */
export function createControl(
  simulator: Controlled,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = controlRoutes(simulator);
  return async (request, response) => {
    const startedAt = performance.now();
    writeAnswer(request, response, await answer(), startedAt);

    async function answer(): Promise<Answer> {
      if (!isLoopback(request.socket.remoteAddress)) {
        return failure(403, 'the simulator is controlled from its own machine only');
      }
      const read = await readRequest(request);
      const match = matchRoute(routes, read.method, read.path.slice(controlRoot.length));
      if (match === undefined) return notFound();
      if (!read.wellFormed) return failure(400, 'the request body could not be read');
      try {
        return match.route.handle({ path: match.path, body: read.body });
      } catch (error) {
        // Thrown by what the route asked for, for example where a group does not exist.
        return unprocessable(error instanceof Error ? error.message : String(error));
      }
    }
  };
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
