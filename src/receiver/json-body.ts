import express from 'express';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Oddity } from '../events/oddity.js';
import { shown } from '../events/oddity.js';
import { parseJson } from '../events/parse-json.js';
import { decodeBody } from './decode-body.js';
import { HttpProblem } from './http-problem.js';

/** The largest accepted body. Webhooks of SimpleMDM are smaller than one KiB. */
const MAX_BODY_BYTES = 256 * 1024;

const readCompressed = express.raw({ limit: MAX_BODY_BYTES, type: () => true });

/** The JSON of a body, and what was odd about its bytes. */
export interface JsonBody {
  readonly value: unknown;
  readonly oddities: readonly Oddity[];
}

/**
 * Reads the body of a request as JSON, whatever its content type: proxies change headers.
 *
 * @throws HttpProblem when the body is too large (413), compressed in an unknown way (415), or not JSON (400).
 */
export async function readJsonBody(request: Request, response: Response): Promise<JsonBody> {
  const { 'content-length': length, 'content-encoding': encoding = 'identity' } = request.headers;
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge(response);
  const read = encoding.toLowerCase() === 'identity' ? readPlain : readDecompressed;
  return parseBody(request, await read(request, response));
}

function readPlain(request: Request, response: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else {
        request.pause();
        reject(tooLarge(response));
      }
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Node emits an error when the client closes the connection before the end of the body.
    request.on('error', () => reject(new HttpProblem(400, 'webhook/invalid-json', 'request aborted')));
  });
}

async function readDecompressed(request: Request, response: Response): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => {
    readCompressed(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(problemFromParser(error, response));
    });
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function parseBody(request: Request, bytes: Uint8Array): JsonBody {
  const contentType = request.headers['content-type'];
  const charset = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1];
  const { text, oddity } = decodeBody(bytes, charset);
  const fromHeaders = [...(oddity === undefined ? [] : [oddity]), ...contentTypeOddity(contentType)];
  try {
    const { value, oddities } = parseJson(text);
    return { value, oddities: [...fromHeaders, ...oddities] };
  } catch (error) {
    const inForm = jsonInForm(text);
    if (inForm !== undefined) return { value: inForm.value, oddities: [...fromHeaders, ...inForm.oddities] };
    throw new HttpProblem(400, 'webhook/invalid-json', `the body is not JSON: ${hintFor(text, error)}`);
  }
}

function contentTypeOddity(contentType: string | undefined): Oddity[] {
  if (/^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType ?? '')) return [];
  const text = `the content type is ${contentType === undefined ? 'missing' : shown(contentType)}, not application/json`;
  return [{ kind: 'content_type', text }];
}

/** The field of a form that holds the JSON, as some proxies and senders encode webhooks. */
const FORM_FIELD = 'payload';

function jsonInForm(text: string): JsonBody | undefined {
  if (!new RegExp(`(?:^|&)${FORM_FIELD}=`).test(text)) return undefined;
  try {
    const { value, oddities } = parseJson(new URLSearchParams(text).get(FORM_FIELD) ?? '');
    const oddity: Oddity = { kind: 'form', text: `the JSON was in the field "${FORM_FIELD}" of a form` };
    return { value, oddities: [oddity, ...oddities] };
  } catch {
    return undefined;
  }
}

/** What a body that is not JSON looks like. Never quotes it: it may hold secrets. */
function hintFor(text: string, error: unknown): string {
  const start = text.trimStart();
  if (start === '') return 'it is empty; expected a JSON object';
  if (start.startsWith('<'))
    return 'it looks like a page in HTML or XML; a proxy may have replaced the webhook';
  if (/^[\w.%+-]+=/.test(start))
    return `it looks like a form; send JSON, or a form whose field "${FORM_FIELD}" holds the JSON`;
  if (/^[{[]/.test(start)) {
    const place = z.object({ message: z.string() }).safeParse(error).data?.message;
    const position = /position \d+/.exec(place ?? '')?.[0];
    return `it is cut off or damaged${position === undefined ? '' : ` at ${position}`}`;
  }
  return 'expected a JSON object';
}

function tooLarge(response: Response): HttpProblem {
  // The rest of the body stays unread, so the connection cannot be reused.
  response.setHeader('Connection', 'close');
  return new HttpProblem(413, 'webhook/too-large', `the body is larger than ${MAX_BODY_BYTES / 1024} KiB`);
}

/** The problem for an error of the body parser, which names the kind of the error in `type`. */
function problemFromParser(error: unknown, response: Response): Error {
  if (!(error instanceof Error)) return new TypeError('the body parser failed', { cause: error });
  const type = 'type' in error ? error.type : undefined;
  const status = 'status' in error ? error.status : undefined;
  if (type === 'entity.too.large') return tooLarge(response);
  if (type === 'encoding.unsupported')
    return new HttpProblem(415, 'webhook/unsupported-media-type', error.message);
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new HttpProblem(400, 'webhook/invalid-json', error.message);
  return error;
}
