import type { ErrorCode } from '../errors/registry.js';

/** How a call failed. */
export type FailureKind =
  /** The API responded with an error status. */
  | 'response'
  /** No response: the connection was refused or reset, or the name did not resolve. */
  | 'network'
  /** No response within the timeout. */
  | 'timeout'
  /** The response is not what the reference documents. */
  | 'malformed'
  /** The call was not made: the account is paused, or the circuit breaker is open. */
  | 'paused'
  /** The call was canceled because the process stops. */
  | 'stopped';

/** What is known about a failed call. */
export interface Failure {
  readonly kind: FailureKind;
  readonly account: string;
  readonly method: string;
  readonly path: string;
  readonly status?: number;
  /** The titles of the API's error body (API reference, Errors). */
  readonly titles?: readonly string[];
  readonly detail?: string;
  /** Whether the request may have reached the API and taken effect. */
  readonly mayHaveTakenEffect: boolean;
  /** The earliest time for a retry in epoch milliseconds, if the API named one. */
  readonly retryAt?: number;
}

/** Names a call in errors and records. */
export type CallIdentity = Pick<Failure, 'account' | 'method' | 'path'>;

/** A failed call to the SimpleMDM API, with what a caller needs to decide on a retry and to inform a person. */
export class SimpleMdmError extends Error {
  override readonly name = 'SimpleMdmError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(messageOf(failure), options);
    this.failure = failure;
  }

  /** The stable code of the failure; docs/errors.md explains it. */
  get code(): ErrorCode {
    return codeOf(this.failure);
  }

  /** The object does not exist (404). */
  get notFound(): boolean {
    return this.failure.status === 404;
  }

  /** The same call may succeed later: no response, an unreadable one, 408, 429 or 5xx. */
  get isRetryable(): boolean {
    const { kind, status } = this.failure;
    if (kind !== 'response') return true;
    return status !== undefined && (status === 408 || status === 429 || status >= 500);
  }

  /** SimpleMDM is unreachable or broken: no connection, no response, or 5xx. */
  get isOutage(): boolean {
    const { kind, status = 0 } = this.failure;
    return kind === 'network' || kind === 'timeout' || (kind === 'response' && status >= 500);
  }

  /** No call to the account can succeed now (refused key, rate limit, outage). Wait without using up an attempt. */
  get isAccountUnavailable(): boolean {
    const { kind, status } = this.failure;
    return kind === 'paused' || status === 401 || status === 429;
  }
}

function codeOf({ kind, status = 0 }: Failure): ErrorCode {
  switch (kind) {
    case 'response':
      return codeOfStatus(status);
    case 'network':
      return 'api/unreachable';
    case 'timeout':
      return 'api/timeout';
    case 'malformed':
      return 'api/unexpected-response';
    case 'paused':
      return 'api/account-paused';
    case 'stopped':
      return 'api/stopped';
  }
}

const CODES_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'api/refused-key',
  403: 'api/forbidden',
  404: 'api/not-found',
  408: 'api/timeout',
  409: 'api/conflict',
  429: 'api/rate-limited',
};

function codeOfStatus(status: number): ErrorCode {
  if (status >= 500) return 'api/server-error';
  if (status < 400) return 'api/unexpected-response';
  return CODES_OF_STATUS[status] ?? 'api/invalid-request';
}

function messageOf({ kind, account, method, path, status, titles, detail }: Failure): string {
  const call = `${method} ${path} (account ${account})`;
  const reason = titles === undefined || titles.length === 0 ? '' : `: ${titles.join('; ')}`;
  switch (kind) {
    case 'response':
      return `${call} returned ${status ?? 'an error'}${reason}${adviceFor(status)}`;
    case 'network':
      return `${call} got no response: ${detail ?? 'network error'}`;
    case 'timeout':
      return `${call} timed out: ${detail ?? 'no response in time'}`;
    case 'malformed':
      return `${call} returned an unexpected response: ${detail ?? 'not as documented'}`;
    case 'paused':
      return detail ?? `${call} was not made: the account is paused`;
    case 'stopped':
      return `${call} was canceled: the service is stopping`;
  }
}

function adviceFor(status: number | undefined): string {
  if (status === 401)
    return ' - the API key is wrong or revoked: check SIMPLEMDM_API_KEY, or api_key in ACCOUNTS_FILE (SimpleMDM, Settings, API)';
  if (status === 403) return ' - the API key lacks the permission: grant it in SimpleMDM (Settings, API)';
  if (status !== undefined && status >= 300 && status < 400) return ' - a redirect: check SIMPLEMDM_BASE_URL';
  return '';
}
