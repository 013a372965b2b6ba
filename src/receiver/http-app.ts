import { randomUUID } from 'node:crypto';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { OperatorError } from '../config/operator-error.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { HttpProblem, sendProblem } from './http-problem.js';

/** What every HTTP surface of the service shares. */
export interface HttpAppOptions {
  readonly logger: Logger;
  /** `TRUST_PROXY`: how many proxies stand in front, or their addresses. */
  readonly trustProxy: string | undefined;
  readonly routers: readonly Router[];
}

/** The Express application: security headers, a request id in every answer and log line, problems as RFC 9457. */
export function createHttpApp({ logger, trustProxy, routers }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  try {
    app.set('trust proxy', trustProxySetting(trustProxy));
  } catch (error) {
    throw new OperatorError([
      `TRUST_PROXY: found ${JSON.stringify(trustProxy)}, expected how many proxies stand in front (1), or their addresses (loopback, 10.0.0.0/8); ${errorText(error)}`,
    ]);
  }
  app.use(requestId, accessLog(logger), helmet());
  for (const router of routers) app.use(router);
  app.use((request, _response, next) => {
    next(
      new HttpProblem(
        404,
        'Not found',
        `there is nothing at ${request.method} on this address; webhooks go to POST /webhooks/simplemdm/<token>`,
      ),
    );
  });
  app.use(problems(logger));
  return app;
}

function trustProxySetting(value: string | undefined): boolean | number | string {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  return /^\d+$/.test(value) ? Number(value) : value;
}

/** An id from a proxy is kept, so that its log and ours can be read together; anything odd is replaced. */
const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('X-Request-Id');
  response.setHeader(
    'X-Request-Id',
    given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID(),
  );
  next();
};

/** One line per request. The address itself is left out: it may hold the token. */
function accessLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const line = {
        requestId: response.getHeader('X-Request-Id'),
        method: request.method,
        route: routeOf(request.route),
        status: response.statusCode,
        complete: response.writableFinished,
        durationMs: Math.round(performance.now() - startedAt),
        ip: request.ip,
      };
      if (response.statusCode >= 500) logger.warn(line, 'request');
      else logger.debug(line, 'request');
    });
    next();
  };
}

function routeOf(route: unknown): unknown {
  return typeof route === 'object' && route !== null && 'path' in route
    ? String(route.path).split(',')[0]
    : undefined;
}

function problems(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = error instanceof HttpProblem ? error : fromExpress(error);
    if (problem.status >= 500 && problem !== error) {
      logger.error(
        { requestId: response.getHeader('X-Request-Id'), reason: errorText(error) },
        'request failed',
      );
    }
    sendProblem(response, problem);
  };
}

/** Express itself refuses an address that it cannot decode. */
function fromExpress(error: unknown): HttpProblem {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  if (status === 400) return new HttpProblem(400, 'Bad request', 'the address of the request cannot be read');
  return new HttpProblem(
    500,
    'Internal error',
    'the request could not be handled; the log has the reason under this request id',
  );
}
