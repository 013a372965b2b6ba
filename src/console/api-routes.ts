import { Router } from 'express';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { findEvents, findTrace, isCursor } from '../journal/find-events.js';
import { eventStatus } from '../journal/trace.js';
import type { Trace } from '../journal/trace.js';
import { isRedisUnreachable } from '../queues/connection.js';
import { hasValidToken, tokensFromHeaders } from '../receiver/authenticate.js';
import { HttpProblem, serviceUnavailable } from '../receiver/http-problem.js';
import { replay } from '../runs/replay.js';
import { approvalApiRoutes } from './approval-api-routes.js';
import { rejectCrossSite, rejectOtherOrigins } from './reject-cross-site.js';
import { serviceRoutes } from './service-routes.js';
import type { StateSources } from './service-state.js';

/** What the JSON API needs. */
export interface ApiRoutesOptions {
  /** `ADMIN_TOKEN`. Undefined only outside production: then the API needs no token. */
  readonly adminToken: string | undefined;
  /** Undefined until the service is ready. */
  readonly backend: () => ApiBackend | undefined;
}

/** What the JSON API reads and writes. */
export type ApiBackend = StateSources;

const pointInTime = z.iso
  .datetime({ offset: true, error: 'expected an ISO 8601 time such as 2026-01-31T08:00:00Z' })
  .transform((time) => new Date(time));

const listQuery = z.strictObject({
  type: z.string().max(128).optional(),
  device: z.string().max(128).optional(),
  rule: z.string().max(64).optional(),
  account: z.string().max(64).optional(),
  status: eventStatus.optional(),
  reason: z.string().max(256).optional(),
  since: pointInTime.optional(),
  until: pointInTime.optional(),
  cursor: z.string().refine(isCursor, 'expected the cursor of a previous response').optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'expected a whole number from 1 to 100')
    .transform(Number)
    .pipe(z.int().min(1).max(100, 'expected a whole number from 1 to 100'))
    .default(20),
});

const replayQuery = z.strictObject({
  everything: z.enum(['true', 'false'], 'expected true or false').default('false'),
});

const UNAVAILABLE = serviceUnavailable(
  'http/unavailable',
  'Redis is unreachable, or the service is starting; try again in a few seconds',
);

/** `GET /api/events`, `GET /api/events/:id`, `POST /api/events/:id/replay`, and the routes of {@link serviceRoutes}. */
export function apiRoutes({ adminToken, backend }: ApiRoutesOptions): Router {
  const router = Router();
  const ready = (): ApiBackend => {
    const current = backend();
    if (current?.stores.shards.redis.status !== 'ready') throw UNAVAILABLE;
    return current;
  };
  const existingTrace = async (id: string): Promise<Trace> => {
    const trace = await findTrace(ready().stores.shards, id);
    if (trace === undefined) {
      throw new HttpProblem(
        404,
        'http/not-found',
        `there is no event ${JSON.stringify(id.slice(0, 80))}, or its retention has ended, or several ids begin like this`,
      );
    }
    return trace;
  };
  const noStore: RequestHandler = (_request, response, next) => {
    // Traces must not end up in a shared cache.
    response.setHeader('Cache-Control', 'no-store');
    next();
  };
  router.use('/api', rejectCrossSite, rejectOtherOrigins, authenticateAdmin(adminToken), noStore);
  router.get('/api/events', async (request, response) => {
    const filter = parseQuery(listQuery, request.query);
    response.json(await findEvents(ready().stores.shards, filter));
  });
  router.get('/api/events/:id', async (request, response) => {
    response.json(await existingTrace(request.params.id));
  });
  router.post('/api/events/:id/replay', async (request, response) => {
    const { everything } = parseQuery(replayQuery, request.query);
    const trace = await existingTrace(request.params.id);
    const mode = { everything: everything === 'true', lane: 'interactive' } as const;
    const result = await replay(trace, mode, ready().stores.of(trace.account));
    if (result.kind === 'in_progress') {
      throw new HttpProblem(
        409,
        'http/event-in-progress',
        'the event is still being processed; replay it when its runs have ended',
      );
    }
    if (result.kind === 'nothing_failed') {
      throw new HttpProblem(
        409,
        'http/nothing-to-replay',
        'nothing failed for this event; ?everything=true processes it again as a new event, with all its actions',
      );
    }
    response.status(202).json(result);
  });
  router.use(serviceRoutes(ready));
  router.use(approvalApiRoutes(ready));
  router.use('/api', redisErrors);
  return router;
}

/** Maps a connection lost during a request to 503, so that the client tries again. */
const redisErrors: ErrorRequestHandler = (error: unknown, _request, _response, next) => {
  next(isRedisUnreachable(error) ? UNAVAILABLE : error);
};

function authenticateAdmin(adminToken: string | undefined): RequestHandler {
  return (request, response, next) => {
    const tokens = tokensFromHeaders({ authorization: request.get('Authorization') });
    if (adminToken === undefined || hasValidToken(tokens, [adminToken])) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer realm="mdm-reflex"');
    next(
      new HttpProblem(401, 'http/unauthorized', 'send the ADMIN_TOKEN as "Authorization: Bearer <token>"'),
    );
  };
}

function parseQuery<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HttpProblem(
    400,
    'http/invalid-request',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid query'}`.replace(/^: /, ''),
  );
}
