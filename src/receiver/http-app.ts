import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response, Router } from 'express';
import { OperatorError } from '../config/operator-error.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { HttpProblem, sendProblem, sentProblemCode } from './http-problem.js';
import { assignRequestId, requestIdOf, setStandardHeaders } from './response-headers.js';

/** What the HTTP server needs. */
export interface HttpAppOptions {
  readonly logger: Logger;
  /** `TRUST_PROXY`: the number of proxies in front of the service, or their addresses. */
  readonly trustProxy: string | undefined;
  /** Sends all headers of its responses itself (`sendJson`), or passes a problem on: for webhooks, which come in bursts. */
  readonly firstRouter?: Router | undefined;
  readonly routers: readonly Router[];
}

/** Creates the Express application: security headers and a request id in every response and log line, problems as RFC 9457. */
export function createHttpApp({ logger, trustProxy, firstRouter, routers }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  try {
    app.set('trust proxy', trustProxySetting(trustProxy));
  } catch (error) {
    throw new OperatorError([
      {
        code: 'settings/invalid',
        message: `TRUST_PROXY: found ${JSON.stringify(trustProxy)}, expected the number of proxies in front of the service (1), or their addresses (loopback, 10.0.0.0/8); ${errorText(error)}`,
      },
    ]);
  }
  app.use(beginRequest(logger));
  if (firstRouter !== undefined) app.use(firstRouter);
  app.use((_request, response, next) => {
    setStandardHeaders(response);
    next();
  });
  for (const router of routers) app.use(router);
  app.use((request, _response, next) => {
    next(
      new HttpProblem(
        404,
        'http/not-found',
        `no route for ${request.method} at this address; webhooks go to POST /webhooks/simplemdm/<token>`,
      ),
    );
  });
  app.use(problemHandler(logger));
  return app;
}

function trustProxySetting(value: string | undefined): boolean | number | string {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  return /^\d+$/.test(value) ? Number(value) : value;
}

/** Gives the request an id, and logs one line when it ends. */
function beginRequest(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    assignRequestId(request, response);
    response.on('close', () => logRequest(request, response, startedAt, logger));
    next();
  };
}

/** Without the address, which may hold a token. */
function logRequest(request: Request, response: Response, startedAt: number, logger: Logger): void {
  const isFailed = response.statusCode >= 500;
  if (!isFailed && !logger.isLevelEnabled('debug')) return;
  const fields = {
    requestId: requestIdOf(response),
    method: request.method,
    route: routeOf(request.route),
    status: response.statusCode,
    complete: response.writableFinished,
    durationMs: Math.round(performance.now() - startedAt),
    ip: request.ip,
  };
  if (isFailed) {
    const code = sentProblemCode(response) ?? 'http/internal-error';
    logger.warn({ code, ...fields }, 'request failed');
  } else logger.debug(fields, 'request');
}

function routeOf(route: unknown): unknown {
  return typeof route === 'object' && route !== null && 'path' in route
    ? String(route.path).split(',')[0]
    : undefined;
}

function problemHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    setStandardHeaders(response);
    const problem = error instanceof HttpProblem ? error : problemFromExpress(error);
    if (problem.status >= 500 && problem !== error) {
      logger.error(
        {
          code: problem.code,
          requestId: requestIdOf(response),
          reason: errorText(error),
        },
        'unexpected error in a request',
      );
    }
    sendProblem(response, problem);
  };
}

/** Express reports addresses that it cannot decode with status 400. */
function problemFromExpress(error: unknown): HttpProblem {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  if (status === 400) {
    return new HttpProblem(400, 'http/invalid-request', 'the address of the request cannot be decoded');
  }
  return new HttpProblem(
    500,
    'http/internal-error',
    'the request failed; find the reason in the log by this request id',
  );
}
