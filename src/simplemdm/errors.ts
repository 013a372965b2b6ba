import type { ErrorCode } from '../errors/registry.js';

/** How a call failed. */
export type FailureKind =
  /** The API responded with an error status and an error body of its own. */
  | 'response'
  /**
   * Something between the service and SimpleMDM answered: a proxy, a gateway, a login page, a captive portal. The answer says nothing
   * about the account, so the failure has no `status`; its `detail` names the status that was sent.
   */
  | 'foreign'
  /** No response: the connection was refused or reset, or the name did not resolve. */
  | 'network'
  /** No response within the timeout. */
  | 'timeout'
  /** The API responded, and a record in the response has no usable id. */
  | 'malformed'
  /** The pages of a list did not come to an end: some of the list was read, and what is missing is not known. */
  | 'incomplete'
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
  /** The status of the API. Undefined without an answer of the API. */
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

  /** SimpleMDM says that the object does not exist: a 404 with the API's error body. A 404 of anything else is of kind `foreign`. */
  get notFound(): boolean {
    return this.failure.kind === 'response' && this.failure.status === 404;
  }

  /** The same call may succeed later: no response, an unreadable or incomplete one, 408, 429 or 5xx. */
  get isRetryable(): boolean {
    const { kind, status } = this.failure;
    if (kind !== 'response') return true;
    return status !== undefined && (status === 408 || status === 429 || status >= 500);
  }

  /** SimpleMDM is unreachable or broken: no connection, no response, an answer of something else, or 5xx. */
  get isOutage(): boolean {
    const { kind, status = 0 } = this.failure;
    return (
      kind === 'network' || kind === 'timeout' || kind === 'foreign' || (kind === 'response' && status >= 500)
    );
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
    case 'foreign':
      return 'api/not-simplemdm';
    case 'malformed':
      return 'api/unexpected-response';
    case 'incomplete':
      return 'api/incomplete-list';
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
    case 'foreign':
      return `${call} got an answer that is not from SimpleMDM: ${detail ?? 'another body'} - something between answered, such as a proxy, a login page or a captive portal: check the proxy, DNS and SIMPLEMDM_BASE_URL`;
    case 'incomplete':
      return `${call} did not return the whole list: ${detail ?? 'the pages do not end'}`;
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
  return '';
}
