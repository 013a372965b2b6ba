import { NoResponseError, InvalidRequestError, exchange } from '../http/exchange.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { retryAfterTime } from '../http/retry-after.js';
import { DeliveryError, adviceOnHost } from './channel.js';
import type { Receipt } from './channel.js';

const TIMEOUT_MS = 15_000;
const ANSWER_SHOWN = 200;
/** Enough to find those in, however much space stands before them. */
const ANSWER_READ = 4000;

/**
 * Posts JSON and expects a 2xx.
 *
 * @param body - A text is posted as it is.
 * @throws DeliveryError: refused for what cannot be sent, for 3xx and for 4xx but 408, 425 and 429; the address, often a secret, is told
 * by its host alone.
 */
export async function postJson(
  url: string,
  body: unknown,
  {
    headers = {},
    signal,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Receipt> {
  const to = new URL(url);
  const { status, headers: answered, text } = await answerOf(to, body, headers, signal);
  const said = text.replace(/\s+/g, ' ').trim().slice(0, ANSWER_SHOWN);
  const answer = `${to.host} answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 200 && status < 300) return { answer };
  const passes = status >= 500 || status === 408 || status === 425 || status === 429;
  throw new DeliveryError(answer, {
    refused: !passes,
    notBefore: retryAfterTime(status, answered, Date.now()),
  });
}

async function answerOf(
  url: URL,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<ExchangeResponse> {
  try {
    // A webhook that moved is to be written down anew, not followed with its secret.
    return await exchange({
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'mdm-reflex', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      stop,
      maxCharacters: ANSWER_READ,
    });
  } catch (error) {
    if (error instanceof InvalidRequestError) throw new DeliveryError(error.message, { refused: true });
    if (!(error instanceof NoResponseError)) throw error;
    throw new DeliveryError(error.message, { refused: false, advice: adviceOnHost(error.message) });
  }
}
