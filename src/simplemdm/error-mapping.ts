import { isNativeError } from 'node:util/types';
import { z } from 'zod';
import { errorCode, errorText } from '../telemetry/error-text.js';
import type { AbortCause } from '../http/request-signal.js';
import { SimpleMdmError } from './errors.js';
import type { Failure } from './errors.js';
import { retryAfterTime } from '../http/retry-after.js';
import { withoutSecrets } from './secrets.js';

/** Which call it is about. */
export type CallIdentity = Pick<Failure, 'account' | 'method' | 'path'>;

/** Parses an answer's body, without the secrets in it unless they are wanted. Throws {@link SimpleMdmError} when it is no JSON. */
export function parseJson(text: string, about: CallIdentity, revealSecrets: boolean): unknown {
  try {
    const body: unknown = JSON.parse(text, revealSecrets ? undefined : withoutSecrets);
    return body;
  } catch (cause) {
    const mayHaveTakenEffect = about.method !== 'GET';
    throw new SimpleMdmError(
      { ...about, kind: 'malformed', detail: 'the body is not JSON', mayHaveTakenEffect },
      { cause },
    );
  }
}

const errorBody = z.object({ errors: z.array(z.object({ title: z.string() })) });

/** The error for an answer that is not 2xx (API reference, Errors). */
export function errorFromResponse(
  about: CallIdentity,
  response: Response,
  text: string,
  now: number,
): SimpleMdmError {
  const { status } = response;
  const retryAt = retryAfterTime(status, response.headers, now);
  return new SimpleMdmError({
    ...about,
    kind: 'response',
    status,
    titles: titlesIn(text),
    // A gateway answers 502 or 504 for a server that may well have done the work.
    mayHaveTakenEffect: status >= 500 && about.method !== 'GET',
    ...(retryAt !== undefined && { retryAt }),
  });
}

function titlesIn(text: string): string[] {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.errors.map((error) => error.title) : [];
  } catch {
    // Gateways answer HTML; the status alone must do then.
    return [];
  }
}

/** Failures before the request was on its way: it certainly had no effect. */
const NEVER_SENT = new Set([
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

/** The error for a call that got no answer. */
export function errorFromNoResponse(
  about: CallIdentity,
  error: unknown,
  brokenOff: AbortCause,
): SimpleMdmError {
  // fetch wraps what really happened.
  const cause = isNativeError(error) && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause);
  const mayHaveTakenEffect = about.method !== 'GET' && (code === undefined || !NEVER_SENT.has(code));
  const kind = brokenOff ?? 'network';
  const detail =
    kind === 'timeout' ? 'the time limit API_TIMEOUT_MS ran out' : describeCause(code, errorText(cause));
  return new SimpleMdmError({ ...about, kind, detail, mayHaveTakenEffect }, { cause: error });
}

function describeCause(code: string | undefined, message: string): string {
  return code === undefined || message.includes(code) ? message : `${code} ${message}`.trim();
}
