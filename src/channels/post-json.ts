import type { ErrorCode } from '../errors/registry.js';
import { NoResponseError, InvalidRequestError, exchange } from '../http/exchange.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { retryTime } from '../http/retry-time.js';
import { DeliveryError, adviceOnHost } from './channel.js';
import type { Receipt } from './channel.js';

const TIMEOUT_MS = 15_000;
const MAX_BODY_SHOWN = 200;
/** Enough to fill {@link MAX_BODY_SHOWN} when the body starts with whitespace. */
const MAX_BODY_READ = 4000;

/**
 * Posts JSON and expects a 2xx.
 *
 * @param body - A string is posted unchanged.
 * @throws DeliveryError: not retryable for invalid requests, 3xx, and 4xx except 408, 425 and 429. Messages name only the host,
 * because the URL is often a secret.
 */
export async function postJson(
  url: string,
  body: unknown,
  {
    headers = {},
    signal,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Receipt> {
  const target = new URL(url);
  const { status, headers: responseHeaders, text } = await post(target, body, headers, signal);
  const bodyStart = text.replace(/\s+/g, ' ').trim().slice(0, MAX_BODY_SHOWN);
  const response = `${target.host} returned ${status}${bodyStart === '' ? '' : `: ${bodyStart}`}`;
  if (status >= 200 && status < 300) return { response };
  const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
  throw new DeliveryError(codeOf(status, retryable), response, {
    retryable,
    notBefore: retryTime(status, responseHeaders, Date.now()),
  });
}

function codeOf(status: number, retryable: boolean): ErrorCode {
  if (retryable) return 'channel/unavailable';
  return status === 401 || status === 403 ? 'channel/refused-credentials' : 'channel/refused';
}

async function post(
  url: URL,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ExchangeResponse> {
  try {
    // Redirects are not followed: the request contains secrets.
    return await exchange({
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'mdm-reflex', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      signal,
      maxCharacters: MAX_BODY_READ,
    });
  } catch (error) {
    if (error instanceof InvalidRequestError)
      throw new DeliveryError('channel/invalid-settings', error.message, { retryable: false });
    if (!(error instanceof NoResponseError)) throw error;
    const advice = adviceOnHost(error.message);
    throw new DeliveryError('channel/unreachable', error.message, { retryable: true, advice });
  }
}
