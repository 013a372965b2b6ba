import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiResponse } from './response.js';

const jsonType = 'application/json; charset=utf-8';

/** Sends a response with the headers of the real API. A GET whose ETag the client has gets a 304. */
export function writeResponse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body: content, file, headers }: ApiResponse,
  startedAt: number,
): void {
  if (file !== undefined) {
    writeFile(request, response, file, startedAt);
    return;
  }
  const body = content === undefined ? '' : JSON.stringify(content);
  setHeaders(response, { status, headers }, body, startedAt);
  if (status === 200 && isKnown(request, body)) {
    response.removeHeader('content-length');
    response.writeHead(304).end();
    return;
  }
  // Node leaves out the body of a response to HEAD.
  response.writeHead(status).end(body);
}

/** Whether a client that reads has this content already. */
function isKnown({ method, headers }: IncomingMessage, content: string | Buffer): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['if-none-match'] === etag(content);
}

function writeFile(
  request: IncomingMessage,
  response: ServerResponse,
  { content, type, name }: NonNullable<ApiResponse['file']>,
  startedAt: number,
): void {
  response.setHeader('x-request-id', randomUUID());
  response.setHeader('x-runtime', ((performance.now() - startedAt) / 1000).toFixed(6));
  response.setHeader('content-disposition', `attachment; filename="${encodeURIComponent(name)}"`);
  response.setHeader('cache-control', 'max-age=0, private, must-revalidate');
  response.setHeader('etag', etag(content));
  if (isKnown(request, content)) response.writeHead(304).end();
  else response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}

/** Announces the whole response, sends half of it, and closes the connection. */
export function writeTruncated(
  response: ServerResponse,
  { status, body: content, headers }: ApiResponse,
  startedAt: number,
): void {
  const body = JSON.stringify(content ?? { data: null });
  setHeaders(response, { status, headers }, body, startedAt);
  response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(status === 204 ? 200 : status);
  response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** Sends an HTML page in place of the response. */
export function writeHtml(response: ServerResponse, status: number): void {
  response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(
      '<!DOCTYPE html><html><head><title>Just a moment</title></head><body><h1>Please wait</h1></body></html>',
    );
}

function setHeaders(
  response: ServerResponse,
  { status, headers = {} }: { status: number; headers: ApiResponse['headers'] },
  body: string,
  startedAt: number,
): void {
  response.setHeader('x-request-id', randomUUID());
  response.setHeader('x-runtime', ((performance.now() - startedAt) / 1000).toFixed(6));
  response.setHeader('cache-control', status < 300 ? 'max-age=0, private, must-revalidate' : 'no-cache');
  if (status !== 204) {
    response.setHeader('content-type', jsonType);
    response.setHeader('content-length', Buffer.byteLength(body));
  }
  if (status < 300 && body !== '') response.setHeader('etag', etag(body));
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function etag(body: string | Buffer): string {
  return `W/"${createHash('md5').update(body).digest('hex')}"`;
}
