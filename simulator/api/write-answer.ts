import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.js';

const jsonType = 'application/json; charset=utf-8';

/** Writes an answer with the headers that the real API sends; a GET whose ETag the client already has gets a 304. */
export function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  startedAt: number,
): void {
  if (answer.file !== undefined) {
    writeFile(response, answer.file, startedAt);
    return;
  }
  const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
  setHeaders(response, answer, body, startedAt);
  if (answer.status === 200 && request.method === 'GET' && request.headers['if-none-match'] === etag(body)) {
    response.removeHeader('content-length');
    response.writeHead(304).end();
    return;
  }
  response.writeHead(answer.status).end(body);
}

function writeFile(
  response: ServerResponse,
  { content, type, name }: NonNullable<Answer['file']>,
  startedAt: number,
): void {
  response.setHeader('x-request-id', randomUUID());
  response.setHeader('x-runtime', ((performance.now() - startedAt) / 1000).toFixed(6));
  response.setHeader('content-disposition', `attachment; filename="${encodeURIComponent(name)}"`);
  response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}

/** Promises the whole answer, sends half of it, and breaks the connection. */
export function writeTruncated(response: ServerResponse, answer: Answer, startedAt: number): void {
  const body = JSON.stringify(answer.body ?? { data: null });
  setHeaders(response, answer, body, startedAt);
  response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(answer.status === 204 ? 200 : answer.status);
  response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** Sends an HTML page in place of the answer. */
export function writeHtml(response: ServerResponse, status: number): void {
  response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(
      '<!DOCTYPE html><html><head><title>Just a moment</title></head><body><h1>Please wait</h1></body></html>',
    );
}

function setHeaders(response: ServerResponse, answer: Answer, body: string, startedAt: number): void {
  response.setHeader('x-request-id', randomUUID());
  response.setHeader('x-runtime', ((performance.now() - startedAt) / 1000).toFixed(6));
  response.setHeader(
    'cache-control',
    answer.status < 300 ? 'max-age=0, private, must-revalidate' : 'no-cache',
  );
  if (answer.status !== 204) {
    response.setHeader('content-type', jsonType);
    response.setHeader('content-length', Buffer.byteLength(body));
  }
  if (answer.status < 300 && body !== '') response.setHeader('etag', etag(body));
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
}

function etag(body: string): string {
  return `W/"${createHash('md5').update(body).digest('hex')}"`;
}
