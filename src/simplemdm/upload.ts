import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { FormDataEncoder } from 'form-data-encoder';

/** A request that carries files. */
export interface UploadRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: FormData;
  readonly signal: AbortSignal;
}

/**
 * What `fetch` would do with a form, but in bounded memory: Node's fetch keeps all of a body that it has sent until the
 * answer is there, which an installer of some gigabytes does not allow.
 *
 * @throws The system's error when there is no answer.
 */
export async function upload(
  url: string,
  { method, headers, form, signal }: UploadRequest,
): Promise<Response> {
  const encoder = new FormDataEncoder(form);
  const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, { method, headers: { ...headers, ...encoder.headers }, signal });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    // What goes wrong here is told by the request; and a server that refuses need not read to the end.
    pipeline(Readable.from(encoder), request).catch(reject);
  });
  const body = await text(answer);
  return new Response(body === '' ? null : body, {
    status: answer.statusCode ?? 0,
    headers: Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  });
}
