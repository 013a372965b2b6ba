import type { IncomingMessage } from 'node:http';
import { fromPairs, readParams, textParam, type Params } from './params.js';

/** A request after its body is read and its method is known. */
export interface ReadRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  body: Params;
  /** Query and body together. */
  params: Params;
  /** Whether the body matches its content type. */
  wellFormed: boolean;
}

/** Reads a whole request. A POST with `_method=PATCH` counts as a PATCH (reference: Account, Update). */
export async function readRequest(request: IncomingMessage): Promise<ReadRequest> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const query = Object.fromEntries(url.searchParams);
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk);
  const body = readParams(Buffer.concat(chunks), request.headers['content-type'] ?? '');

  const params = { ...fromPairs(url.searchParams), ...body };
  const sentMethod = request.method ?? 'GET';
  const override = sentMethod === 'POST' ? textParam(params, '_method')?.toUpperCase() : undefined;
  return {
    method: override ?? sentMethod,
    path: url.pathname.length > 1 ? url.pathname.replace(/\/+$/, '') : url.pathname,
    query,
    body: body ?? {},
    params,
    wellFormed: body !== undefined,
  };
}
