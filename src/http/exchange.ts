import { fetchErrorText } from '../telemetry/error-text.js';
import { requestSignal } from './request-signal.js';

/** A request to any web service. */
export interface ExchangeRequest {
  readonly method: string;
  /** A user and password in it are sent as Basic authentication (RFC 7617). */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** From the first byte sent to the last byte read. */
  readonly timeoutMs: number;
  /** Breaks it off. */
  readonly stop: AbortSignal;
  /** More of the answer than this is not read. */
  readonly maxCharacters: number;
  /** Redirects are followed within the same origin only: headers may hold secrets. */
  readonly followRedirects?: boolean;
}

/** What was answered. */
export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A request that cannot be sent as it is, whenever it is tried. */
export class InvalidRequestError extends Error {
  override readonly name = 'UnsendableError';
}

/** A request that got no answer: it may have taken effect or not. */
export class NoResponseError extends Error {
  override readonly name = 'NoAnswerError';
}

const MAX_REDIRECTS = 5;

/**
 * Sends a request and reads the beginning of the answer, whatever its status.
 *
 * @throws UnsendableError that names what cannot be sent; NoAnswerError. Neither tells the address, which may be a secret: only its host.
 */
export async function exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
  const { method, timeoutMs, stop, maxCharacters } = request;
  const headers = sendableHeaders(request);
  const limits = requestSignal(timeoutMs, stop);
  try {
    let url = withoutCredentials(request.url);
    for (let redirects = 0; ; redirects += 1) {
      const response = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: limits.signal,
        ...(request.body !== undefined && { body: request.body }),
      });
      const next =
        request.followRedirects === true && redirects < MAX_REDIRECTS ? redirectOf(response, url) : undefined;
      if (next === undefined) {
        return {
          status: response.status,
          headers: response.headers,
          text: await beginningOf(response, maxCharacters),
        };
      }
      await response.body?.cancel();
      url = next;
    }
  } catch (error) {
    const why =
      limits.reason() === 'timeout'
        ? `no answer within ${timeoutMs / 1000} seconds`
        : limits.reason() === 'stopped'
          ? 'broken off'
          : fetchErrorText(error);
    throw new NoResponseError(`${request.url.host}: ${why}`, { cause: error });
  } finally {
    limits.done();
  }
}

function sendableHeaders({ url, headers }: ExchangeRequest): Headers {
  const sendable = new Headers();
  if (url.username !== '' || url.password !== '') {
    const pair = [url.username, url.password].map(decoded).join(':');
    sendable.set('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      sendable.set(name, value);
    } catch (error) {
      throw new InvalidRequestError(
        `the header "${name}" cannot be sent: a name takes letters, digits and -, a value nothing beyond Latin-1 (| url_encode makes it so)`,
        { cause: error },
      );
    }
  }
  return sendable;
}

/** A password with a bare % in it means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function redirectOf({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || location === null || !URL.canParse(location, from.href))
    return undefined;
  const to = new URL(location, from);
  return to.origin === from.origin ? to : undefined;
}

/** The beginning of an answer; an endless one must not fill the memory. */
async function beginningOf(response: Response, most: number): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  const chunks: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= most) break;
  }
  return text.slice(0, most);
}
