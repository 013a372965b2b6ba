import { randomUUID } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import helmet from 'helmet';

/** The security headers of every response. They are constant, so they are computed once. */
const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = securityHeaders();

function securityHeaders(): (readonly [string, string])[] {
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  helmet()(sample.req, sample, (error?: unknown) => {
    if (error !== undefined) throw new TypeError('the security headers cannot be computed', { cause: error });
  });
  return Object.entries(sample.getHeaders()).map(([name, value]) => [name, String(value)]);
}

/** Keeps the request id of a proxy, so that both logs can be matched. Replaces ids with other characters. */
export function assignRequestId(request: Request, response: Response): void {
  const proxyId = request.headers['x-request-id'];
  response.locals['requestId'] =
    typeof proxyId === 'string' && /^[\w.-]{1,64}$/.test(proxyId) ? proxyId : randomUUID();
}

/** The id of the request that a response answers. */
export function requestIdOf(response: Response): string {
  return String(response.locals['requestId']);
}

/** Sets the headers that every response has. */
export function setStandardHeaders(response: Response): void {
  response.setHeader('X-Request-Id', requestIdOf(response));
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
}

const FLAT_SECURITY_HEADERS = SECURITY_HEADERS.flat();

/** Sends JSON with the headers that every response has, all at once: for a response that has set none yet. */
export function sendJson(response: Response, status: number, json: string): void {
  response.writeHead(status, [
    'X-Request-Id',
    requestIdOf(response),
    ...FLAT_SECURITY_HEADERS,
    'Content-Type',
    'application/json; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(json)),
  ]);
  response.end(json);
}
