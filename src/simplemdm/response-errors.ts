import { isNativeError } from 'node:util/types';
import type { AbortCause } from '../http/request-signal.js';
import { retryTime } from '../http/retry-time.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';
import { isErrorOfApi, isMarkup, shapeProblem, titlesIn } from './answer-shape.js';
import { parseJson } from './parse-json.js';
import type { ApiRequest } from './request.js';

/** An answer as received. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * The body of a 2xx answer; undefined when empty. Drops secrets unless `revealSecrets` is on.
 *
 * @throws SimpleMdmError of kind `foreign` when SimpleMDM did not send the answer: it is a page, or not the JSON that the request
 *   expects; of kind `malformed` when the body is the API's error body.
 */
export function bodyOf(
  answer: RawAnswer,
  identity: CallIdentity,
  expected: ApiRequest['expects'],
  revealSecrets: boolean,
): unknown {
  const { status, headers, text } = answer;
  const contentType = headers.get('content-type') ?? '';
  if (text.trim() === '') {
    if (expected !== undefined) throw foreignError(identity, answer, 'an empty body');
    if (isMarkup(contentType, text)) throw foreignError(identity, answer, 'an empty page');
    return undefined;
  }
  if (isMarkup('', text)) throw foreignError(identity, answer, 'a page');
  let body: unknown;
  try {
    body = parseJson(text, revealSecrets);
  } catch {
    // The error of JSON.parse quotes the text, which can hold secrets.
    throw foreignError(identity, answer, 'a body that is not JSON, or not all of it');
  }
  const problem = shapeProblem(body, expected);
  const titles = problem === undefined ? [] : titlesIn(text);
  if (titles.length > 0) {
    const detail = `an error with the status of a success: ${titles.join('; ')}`;
    const mayHaveTakenEffect = identity.method !== 'GET';
    throw new SimpleMdmError({ ...identity, kind: 'malformed', status, detail, mayHaveTakenEffect });
  }
  if (problem !== undefined) throw foreignError(identity, answer, problem);
  return body;
}

/** The error for an answer that does not come from SimpleMDM. */
export function foreignError(
  identity: CallIdentity,
  { status, headers }: Pick<RawAnswer, 'status' | 'headers'>,
  what: string,
): SimpleMdmError {
  // Anything may stand in a header.
  const contentType = /^[\w.+-]+\/[\w.+-]+/.exec(headers.get('content-type') ?? '')?.[0] ?? 'no content type';
  return new SimpleMdmError({
    ...identity,
    kind: 'foreign',
    detail: `${what} with status ${status} (${contentType})`,
    // A page in place of a refusal or a redirect means that the request was stopped on its way. A page with a 2xx may have replaced
    // the answer of SimpleMDM.
    mayHaveTakenEffect: status < 300 && identity.method !== 'GET',
  });
}

/** The error for an answer that is not 2xx (API reference, Errors). */
export function errorFromAnswer(identity: CallIdentity, answer: RawAnswer, now: number): SimpleMdmError {
  const { status, headers, text } = answer;
  const contentType = headers.get('content-type') ?? '';
  if (!isErrorOfApi(status, contentType, text)) {
    const what =
      status < 400 ? 'a redirect' : isMarkup(contentType, text) ? 'a page' : 'no error body of the API';
    return foreignError(identity, answer, what);
  }
  const retryAt = retryTime(status, headers, now);
  return new SimpleMdmError({
    ...identity,
    kind: 'response',
    status,
    titles: titlesIn(text),
    // A gateway returns 502 or 504 for a server that may have done the work.
    mayHaveTakenEffect: status >= 500 && identity.method !== 'GET',
    ...(retryAt !== undefined && { retryAt }),
  });
}

/** System errors before the request was sent: the call had no effect. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The error for a call without a response. */
export function errorFromNoResponse(
  identity: CallIdentity,
  error: unknown,
  abortCause: AbortCause,
): SimpleMdmError {
  // fetch puts the system error into `cause`.
  const cause = isNativeError(error) && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause);
  const mayHaveTakenEffect = identity.method !== 'GET' && (code === undefined || !NOT_SENT.has(code));
  const kind = abortCause ?? 'network';
  const detail =
    kind === 'timeout' ? 'no response within API_TIMEOUT_MS' : describeCause(code, errorText(cause));
  return new SimpleMdmError({ ...identity, kind, detail, mayHaveTakenEffect }, { cause: error });
}

function describeCause(code: string | undefined, message: string): string {
  // fetch gives no reason when a proxy asks for a password.
  if (code === undefined && message === '')
    return 'the connection failed without a reason (status 407 of a proxy?)';
  return code === undefined || message.includes(code) ? message : `${code} ${message}`.trim();
}
