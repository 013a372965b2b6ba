import { isUtf8 } from 'node:buffer';
import express from 'express';
import type { Request, RequestHandler } from 'express';
import { MAX_DEPTH } from '../events/envelope.js';
import { HttpProblem } from './http-problem.js';

/** The largest webhook body; real ones are under a kilobyte. */
const MAX_BODY_BYTES = 256 * 1024;

const parseJson = express.json({
  limit: MAX_BODY_BYTES,
  // Which content types are JSON is decided below, with an answer that says so.
  type: () => true,
  strict: false,
  verify: (_request, _response, body) => {
    if (!isUtf8(body)) throw new HttpProblem(400, 'Malformed body', 'the body is not valid UTF-8');
  },
});

/** Reads the body of a request as JSON, refusing what is not: 415, 413, 400, each saying what is wrong. */
export const jsonBody: RequestHandler = (request, response, next) => {
  const refusal = refusalOf(request);
  if (refusal !== undefined) {
    // What the sender is still sending is not read; the connection cannot be used again.
    response.setHeader('Connection', 'close');
    next(refusal);
    return;
  }
  parseJson(request, response, (error?: unknown) => {
    if (error !== undefined) {
      next(problemFrom(error));
      return;
    }
    const body: unknown = request.body;
    if (body === undefined)
      next(new HttpProblem(400, 'Malformed body', 'the body is empty; expected a JSON object'));
    else {
      const problem = problemIn(body);
      next(problem === undefined ? undefined : new HttpProblem(400, 'Malformed body', problem));
    }
  });
};

function refusalOf(request: Request): HttpProblem | undefined {
  const type = request.get('Content-Type');
  if (!/^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type ?? '')) {
    return new HttpProblem(
      415,
      'Unsupported media type',
      `expected Content-Type application/json, found ${type === undefined ? 'none' : JSON.stringify(type.slice(0, 80))}`,
    );
  }
  if (Number(request.get('Content-Length')) > MAX_BODY_BYTES) return tooLarge();
  return undefined;
}

function tooLarge(): HttpProblem {
  return new HttpProblem(413, 'Body too large', `the body is larger than ${MAX_BODY_BYTES / 1024} KiB`);
}

/** What the body parser threw; its `type` tells the kinds apart. */
function problemFrom(error: unknown): unknown {
  if (error instanceof HttpProblem || typeof error !== 'object' || error === null) return error;
  const type = 'type' in error ? error.type : undefined;
  const status = 'status' in error ? error.status : undefined;
  const message = 'message' in error ? String(error.message) : '';
  if (type === 'entity.too.large') return tooLarge();
  if (type === 'entity.parse.failed')
    return new HttpProblem(400, 'Malformed body', `the body is not JSON: ${message}`);
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new HttpProblem(415, 'Unsupported media type', message);
  if (type === 'entity.verify.failed')
    return new HttpProblem(400, 'Malformed body', message.replace(/^Malformed body: /, ''));
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new HttpProblem(400, 'Malformed body', message);
  return error;
}

/** What is wrong with a parsed body, if anything. Walks without recursion, so that no depth can exhaust the stack. */
function problemIn(body: unknown): string | undefined {
  let level: unknown[] = [body];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    // 1e400 is JSON, but no number here: it would be kept as null.
    if (level.some((value) => typeof value === 'number' && !Number.isFinite(value)))
      return 'the JSON holds a number that is too large';
    level = level.flatMap((value): unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
    if (level.length === 0) return undefined;
  }
  return `the JSON nests deeper than ${MAX_DEPTH} levels`;
}
