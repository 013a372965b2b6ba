/** What became of a call that did not succeed. */
export type FailureKind =
  /** The API answered with an error status. */
  | 'answer'
  /** There was no answer: refused, reset, not resolved. */
  | 'network'
  /** There was no answer in time. */
  | 'timeout'
  /** The answer was not what the reference documents. */
  | 'malformed'
  /** The call was not made: the account is paused after a 401 or 429. */
  | 'paused'
  /** The call was broken off because this process stops. */
  | 'stopped';

/** What is known of a failed call. */
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
  /** When to try again, in epoch milliseconds, if the API said so. */
  readonly retryAt?: number;
}

/** A SimpleMDM API call that failed, with everything needed to decide what to do next and to tell a person. */
export class SimpleMdmError extends Error {
  override readonly name = 'SimpleMdmError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(describe(failure), options);
    this.failure = failure;
  }

  /** The object that was asked for does not exist (404). */
  get notFound(): boolean {
    return this.failure.status === 404;
  }

  /** The same call may succeed later: no answer, an unreadable one, 408, 429 or 5xx. */
  get isRetryable(): boolean {
    const { kind, status } = this.failure;
    if (kind !== 'answer') return true;
    return status !== undefined && (status === 408 || status === 429 || status >= 500);
  }

  /** The account as a whole cannot be used now (bad key, rate limit): waiting is right and uses up no attempt. */
  get isAccountUnavailable(): boolean {
    const { kind, status } = this.failure;
    return kind === 'paused' || status === 401 || status === 429;
  }
}

function describe({ kind, account, method, path, status, titles, detail }: Failure): string {
  const call = `${method} ${path} (account ${account})`;
  const said = titles === undefined || titles.length === 0 ? '' : `: ${titles.join('; ')}`;
  switch (kind) {
    case 'answer':
      return `${call} answered ${status ?? 'an error'}${said}${adviceFor(status)}`;
    case 'network':
      return `${call} got no answer: ${detail ?? 'network error'}`;
    case 'timeout':
      return `${call} got no answer in time: ${detail ?? 'timeout'}`;
    case 'malformed':
      return `${call} answered something unexpected: ${detail ?? 'not the documented form'}`;
    case 'paused':
      return detail ?? `${call} was not made: the account is paused`;
    case 'stopped':
      return `${call} was broken off: the service is stopping`;
  }
}

function adviceFor(status: number | undefined): string {
  if (status === 401)
    return ' - the API key is wrong or revoked: check SIMPLEMDM_API_KEY, or api_key in ACCOUNTS_FILE (SimpleMDM, Settings, API)';
  if (status === 403)
    return ' - the API key may not do this: give it the permission in SimpleMDM (Settings, API)';
  if (status !== undefined && status >= 300 && status < 400) return ' - a redirect: check SIMPLEMDM_BASE_URL';
  return '';
}
