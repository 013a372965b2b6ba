import { callSignal } from '../http/call-signal.js';
import { retryTime } from '../http/retry-time.js';
import { fetchErrorText } from '../telemetry/error-text.js';
import { DeliveryError } from './channel.js';

const TIMEOUT_MS = 15_000;
const ANSWER_SHOWN = 200;

/**
 * Posts JSON and expects a 2xx.
 *
 * @param body - A text is posted as it is.
 * @throws DeliveryError: refused for 3xx and 4xx but 408, 425 and 429; the address, often a secret, is told by its host alone.
 */
export async function postJson(
  url: string,
  body: unknown,
  {
    headers = {},
    signal,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<void> {
  const { host } = new URL(url);
  const limits = callSignal(TIMEOUT_MS, signal);
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'mdm-reflex', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      // A webhook that moved is to be written down anew, not followed with its secret.
      redirect: 'manual',
      signal: limits.signal,
    });
    answer = await response.text();
  } catch (error) {
    const why =
      limits.reason() === 'timeout' ? `no answer within ${TIMEOUT_MS / 1000} s` : fetchErrorText(error);
    throw new DeliveryError(`${host}: ${why}`, { refused: false });
  } finally {
    limits.done();
  }
  if (response.ok) return;
  const { status, headers: answered } = response;
  const passes = status >= 500 || status === 408 || status === 425 || status === 429;
  const said = answer.replace(/\s+/g, ' ').trim().slice(0, ANSWER_SHOWN);
  throw new DeliveryError(`${host} answered ${status}${said === '' ? '' : `: ${said}`}`, {
    refused: !passes,
    notBefore: retryTime(status, answered, Date.now()),
  });
}
