import { isNativeError } from 'node:util/types';
import { z } from 'zod';
import type { AbortCause } from '../http/request-signal.js';
import { retryTime } from '../http/retry-time.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';
import { withoutSecrets } from './secrets.js';

/**
 * Parses the body of a response; drops secrets unless `revealSecrets` is on.
 *
 * @throws SimpleMdmError of kind `malformed` when the body is not JSON.
 */
export function parseJson(text: string, identity: CallIdentity, revealSecrets: boolean): unknown {
  try {
    const body: unknown = JSON.parse(text, revealSecrets ? undefined : withoutSecrets);
    return body;
  } catch (cause) {
    const mayHaveTakenEffect = identity.method !== 'GET';
    throw new SimpleMdmError(
      { ...identity, kind: 'malformed', detail: 'the body is not JSON', mayHaveTakenEffect },
      { cause },
    );
  }
}

const errorBody = z.object({ errors: z.array(z.object({ title: z.string() })) });

/** The error for a response that is not 2xx (API reference, Errors). */
export function errorFromResponse(
  identity: CallIdentity,
  response: Response,
  text: string,
  now: number,
): SimpleMdmError {
  const { status } = response;
  const retryAt = retryTime(status, response.headers, now);
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

function titlesIn(text: string): string[] {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.errors.map((error) => error.title) : [];
  } catch {
    // Gateways return HTML.
    return [];
  }
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
  return code === undefined || message.includes(code) ? message : `${code} ${message}`.trim();
}
