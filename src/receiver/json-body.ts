import { isUtf8 } from 'node:buffer';
import express from 'express';
import type { Request, RequestHandler } from 'express';
import { MAX_DEPTH } from '../events/envelope.js';
import { HttpProblem } from './http-problem.js';

/** The largest accepted body. Webhooks of SimpleMDM are smaller than one KiB. */
const MAX_BODY_BYTES = 256 * 1024;

const NOT_UTF8 = 'the body is not valid UTF-8';

const parseJson = express.json({
  limit: MAX_BODY_BYTES,
  // problemInHeaders checks the content type, so that the response names it.
  type: () => true,
  strict: false,
  verify: (_request, _response, body) => {
    if (!isUtf8(body)) throw new Error(NOT_UTF8);
  },
});

/** Parses the body of a request as JSON. Rejects other bodies with 415, 413 or 400. */
export const jsonBody: RequestHandler = (request, response, next) => {
  const headerProblem = problemInHeaders(request);
  if (headerProblem !== undefined) {
    // The body stays unread, so the connection cannot be reused.
    response.setHeader('Connection', 'close');
    next(headerProblem);
    return;
  }
  parseJson(request, response, (error?: unknown) => {
    if (error !== undefined) {
      next(problemFromParser(error));
      return;
    }
    const body: unknown = request.body;
    const problem = body === undefined ? 'the body is empty; expected a JSON object' : problemInJson(body);
    next(problem === undefined ? undefined : invalidJson(problem));
  });
};

function problemInHeaders(request: Request): HttpProblem | undefined {
  const type = request.get('Content-Type');
  if (!/^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type ?? '')) {
    return new HttpProblem(
      415,
      'webhook/unsupported-media-type',
      `expected Content-Type application/json, found ${type === undefined ? 'none' : JSON.stringify(type.slice(0, 80))}`,
    );
  }
  if (Number(request.get('Content-Length')) > MAX_BODY_BYTES) return tooLarge();
  return undefined;
}

function invalidJson(detail: string): HttpProblem {
  return new HttpProblem(400, 'webhook/invalid-json', detail);
}

function tooLarge(): HttpProblem {
  return new HttpProblem(413, 'webhook/too-large', `the body is larger than ${MAX_BODY_BYTES / 1024} KiB`);
}

/** The problem for an error of the body parser, which names the kind of the error in `type`. */
function problemFromParser(error: unknown): unknown {
  if (error instanceof HttpProblem || typeof error !== 'object' || error === null) return error;
  const type = 'type' in error ? error.type : undefined;
  const status = 'status' in error ? error.status : undefined;
  const message = 'message' in error ? String(error.message) : '';
  if (type === 'entity.too.large') return tooLarge();
  if (type === 'entity.parse.failed') return invalidJson(`the body is not JSON: ${message}`);
  if (type === 'entity.verify.failed') return invalidJson(NOT_UTF8);
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new HttpProblem(415, 'webhook/unsupported-media-type', message);
  if (typeof status === 'number' && status >= 400 && status < 500) return invalidJson(message);
  return error;
}

/** What is wrong with parsed JSON, or undefined. Works without recursion, so that no depth can exhaust the stack. */
function problemInJson(body: unknown): string | undefined {
  let level: unknown[] = [body];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    // JavaScript parses 1e400 as Infinity, which would be stored as null.
    if (level.some((value) => typeof value === 'number' && !Number.isFinite(value)))
      return 'the JSON holds a number that is too large';
    level = level.flatMap((value): unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
    if (level.length === 0) return undefined;
  }
  return `the JSON nests deeper than ${MAX_DEPTH} levels`;
}
