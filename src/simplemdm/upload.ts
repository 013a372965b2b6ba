import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { FormDataEncoder } from 'form-data-encoder';

/** A request with files. */
export interface UploadRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: FormData;
  readonly signal: AbortSignal;
}

/**
 * Sends a form in bounded memory. Node's `fetch` keeps the whole body in memory until the response, which is too much for an
 * installer of several gigabytes.
 *
 * @throws The system's error when there is no response.
 */
export async function upload(
  url: string,
  { method, headers, form, signal }: UploadRequest,
): Promise<Response> {
  const encoder = new FormDataEncoder(form);
  const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, { method, headers: { ...headers, ...encoder.headers }, signal });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    // A server that refuses the upload may close the connection before the end.
    pipeline(Readable.from(encoder), request).catch(reject);
  });
  const body = await text(response);
  return new Response(body === '' ? null : body, {
    status: response.statusCode ?? 0,
    headers: Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  });
}
