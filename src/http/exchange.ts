import { fetchErrorText } from '../telemetry/error-text.js';
import { requestSignal } from './request-signal.js';

/** A request to any web service. */
export interface ExchangeRequest {
  readonly method: string;
  /** A user and password in the URL are sent as Basic authentication (RFC 7617). */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Covers everything from the first byte sent to the last byte read. */
  readonly timeoutMs: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  /** The response is read up to this length. */
  readonly maxCharacters: number;
  /** Follows redirects within the same origin only, because headers may hold secrets. */
  readonly followRedirects?: boolean;
}

/** The response, whatever its status. */
export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The first `maxCharacters` of the body. */
  readonly text: string;
}

/** The request cannot be sent. A retry does not help. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}

/** The request got no response. It may have taken effect or not. */
export class NoResponseError extends Error {
  override readonly name = 'NoResponseError';
}

const MAX_REDIRECTS = 5;

/**
 * Sends one HTTP request, with a timeout and a bound on the size of the response.
 *
 * Error messages name only the host, because the URL may hold a secret.
 *
 * @throws InvalidRequestError when a header cannot be sent.
 * @throws NoResponseError on a timeout, a network error or the stop of the process.
 */
export async function exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
  const { method, timeoutMs, maxCharacters } = request;
  const headers = sendableHeaders(request);
  const abort = requestSignal(timeoutMs, request.signal);
  try {
    let url = withoutCredentials(request.url);
    for (let redirects = 0; ; redirects += 1) {
      const response = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: abort.signal,
        ...(request.body !== undefined && { body: request.body }),
      });
      const next =
        request.followRedirects === true && redirects < MAX_REDIRECTS ? redirectOf(response, url) : undefined;
      if (next === undefined) {
        return {
          status: response.status,
          headers: response.headers,
          text: await readBeginning(response, maxCharacters),
        };
      }
      await response.body?.cancel();
      url = next;
    }
  } catch (error) {
    const reason =
      abort.abortCause() === 'timeout'
        ? `no response within ${timeoutMs / 1000} seconds`
        : abort.abortCause() === 'stopped'
          ? 'aborted because the service is stopping'
          : fetchErrorText(error);
    throw new NoResponseError(`${request.url.host}: ${reason}`, { cause: error });
  } finally {
    abort.dispose();
  }
}

function sendableHeaders({ url, headers }: ExchangeRequest): Headers {
  const sendable = new Headers();
  if (url.username !== '' || url.password !== '') {
    const pair = [url.username, url.password].map(decodePercent).join(':');
    sendable.set('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      sendable.set(name, value);
    } catch (error) {
      throw new InvalidRequestError(
        `the header "${name}" cannot be sent: a name may hold letters, digits and -, a value one line of Latin-1 characters`,
        { cause: error },
      );
    }
  }
  return sendable;
}

/** Decodes percent-encoding. A string with a bare % stays as is. */
function decodePercent(text: string): string {
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

/** Reads the beginning of a response. An endless response must not fill the memory. */
async function readBeginning(response: Response, maxCharacters: number): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  const chunks: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= maxCharacters) break;
  }
  return text.slice(0, maxCharacters);
}
