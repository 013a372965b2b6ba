import { Router } from 'express';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { findEvents, findTrace, isCursor } from '../journal/find-events.js';
import { eventStatus } from '../journal/trace.js';
import type { Trace } from '../journal/trace.js';
import { isRedisAway } from '../queues/connection.js';
import { isGoodToken, presentedToken } from '../receiver/authenticate.js';
import { HttpProblem, unavailable } from '../receiver/http-problem.js';
import { replay } from './replay.js';
import type { ReplayOptions } from './replay.js';
import { serviceRoutes } from './service-routes.js';
import type { StateSources } from './service-state.js';

/** What the JSON API needs. */
export interface ApiRoutesOptions {
  /** `ADMIN_TOKEN`; unset only outside production: then anybody who reaches the port may read and write. */
  readonly adminToken: string | undefined;
  /** Undefined until the service is ready. */
  readonly backend: () => ApiBackend | undefined;
}

/** What the JSON API reads from and writes to. */
export type ApiBackend = ReplayOptions & StateSources;

const listQuery = z.strictObject({
  type: z.string().max(128).optional(),
  device: z.string().max(128).optional(),
  rule: z.string().max(64).optional(),
  account: z.string().max(64).optional(),
  status: eventStatus.optional(),
  since: z.iso
    .datetime({ offset: true, error: 'expected an ISO 8601 time such as 2026-01-31T08:00:00Z' })
    .transform((time) => new Date(time))
    .optional(),
  cursor: z.string().refine(isCursor, 'expected the cursor of an earlier answer').optional(),
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

const AWAY = unavailable('Redis is away or the service is starting; try again in a few seconds');

/** `GET /api/events`, `GET /api/events/:id`, `POST /api/events/:id/replay`, and those of {@link serviceRoutes}. */
export function apiRoutes({ adminToken, backend }: ApiRoutesOptions): Router {
  const router = Router();
  const ready = (): ApiBackend => {
    const found = backend();
    if (found?.redis.status !== 'ready') throw AWAY;
    return found;
  };
  const existing = async (id: string): Promise<Trace> => {
    const found = await findTrace(ready().redis, id);
    if (found === undefined) {
      throw new HttpProblem(
        404,
        'Not found',
        `there is no event ${JSON.stringify(id.slice(0, 80))}, or it is too old, or more than one begins so`,
      );
    }
    return found;
  };
  router.use('/api', refuseOtherSites, authenticateAdmin(adminToken), (_request, response, next) => {
    // Traces are for the one who asked, not for a cache on the way.
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.get('/api/events', async (request, response) => {
    const filter = parsed(listQuery, request.query);
    response.json(await findEvents(ready().redis, filter));
  });
  router.get('/api/events/:id', async (request, response) => {
    response.json(await existing(request.params.id));
  });
  router.post('/api/events/:id/replay', async (request, response) => {
    const { everything } = parsed(replayQuery, request.query);
    const found = await existing(request.params.id);
    const done = await replay(found, everything === 'true', ready());
    if (done.kind === 'under_way') {
      throw new HttpProblem(
        409,
        'Conflict',
        'the event is still being worked on; replay it when it has come to rest',
      );
    }
    if (done.kind === 'nothing_failed') {
      throw new HttpProblem(
        409,
        'Conflict',
        'nothing failed for this event; ?everything=true takes it once more as a new one, with all that it does',
      );
    }
    response.status(202).json(done);
  });
  router.use(serviceRoutes(ready));
  router.use('/api', redisErrors);
  return router;
}

/** A Redis that went away in the middle of a request is no defect of ours: the caller should come back. */
const redisErrors: ErrorRequestHandler = (error: unknown, _request, _response, next) => {
  next(isRedisAway(error) ? AWAY : error);
};

/** The browser says so itself (Fetch Metadata Request Headers); no page can take it away. */
const OWN_SITE: readonly (string | undefined)[] = [undefined, 'same-origin', 'none'];

/** Keeps other sites' pages from writing through the browser of somebody who can reach this one: without a token nothing else would. */
const refuseOtherSites: RequestHandler = (request, _response, next) => {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (reads || OWN_SITE.includes(request.get('Sec-Fetch-Site'))) next();
  else
    next(
      new HttpProblem(
        403,
        'Forbidden',
        'a page of another site may not do this: use the console or the command line',
      ),
    );
};

function authenticateAdmin(adminToken: string | undefined): RequestHandler {
  return (request, response, next) => {
    const presented = presentedToken({
      header: undefined,
      authorization: request.get('Authorization'),
    });
    if (adminToken === undefined || isGoodToken(presented, [adminToken])) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer realm="mdm-reflex"');
    next(new HttpProblem(401, 'Unauthorized', 'send the ADMIN_TOKEN as "Authorization: Bearer <token>"'));
  };
}

function parsed<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HttpProblem(
    400,
    'Bad request',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`.replace(/^: /, ''),
  );
}
