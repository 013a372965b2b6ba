import type { ApiCall } from '../http/api-call.js';
import type { AnswerWarning } from './answer-warnings.js';
import type { CircuitBreakerState } from './circuit-breaker.js';
import { createLocalRateLimiter } from './rate-limiter.js';
import type { RateLimiter } from './rate-limiter.js';
import type { Rate } from './token-bucket.js';
import type { TransportOptions } from './transport.js';

/** How to reach an account. Only the key is required. */
export interface SimpleMdmOptions {
  /** From SimpleMDM, Settings, API. */
  readonly apiKey: string;
  /** The name of the account in errors and call records; `default` by default. */
  readonly account?: string;
  /** Without a trailing slash; `https://a.simplemdm.com/api/v1` by default. */
  readonly baseUrl?: string;
  /** The timeout of a call; 30 seconds by default. Uploads have no timeout. */
  readonly timeoutMs?: number;
  /** How many calls this process may make; 10 per second and 20 in a burst by default. */
  readonly rate?: Rate;
  /** A rate limiter shared with other clients or processes, in place of `rate`. */
  readonly rateLimiter?: RateLimiter;
  /** How long a call waits for the end of an account pause (429) before the call fails; one minute by default. */
  readonly maxPauseWaitMs?: number;
  /** How many times a call is retried after an outage, if a retry is safe; 2 by default. */
  readonly retries?: number;
  /**
   * Whether device records keep `filevault_recovery_key`, `firmware_password`, `recovery_lock_password` and the values of secret
   * custom attributes. By default the client drops them when it parses a response, so that they cannot leak.
   */
  readonly revealSecrets?: boolean;
  /** Cancels all calls when aborted. */
  readonly signal?: AbortSignal;
  /** Called after every call that was made. */
  readonly onCall?: (call: ApiCall) => void;
  /** Called for each part of an answer that could not be used: a field of another type, a record without an id, a list that does not end. */
  readonly onWarning?: (warning: AnswerWarning) => void;
  /** Called when the circuit breaker of the account opens (SimpleMDM does not respond) or closes. */
  readonly onCircuitChange?: (state: CircuitBreakerState) => void;
  /** Epoch milliseconds; the system clock by default. */
  readonly now?: () => number;
}

/** The address of the SimpleMDM API. */
export const SIMPLEMDM_BASE_URL = 'https://a.simplemdm.com/api/v1';

/** SimpleMDM does not publish a limit. */
export const DEFAULT_RATE: Rate = { perSecond: 10, burst: 20 };

/** The options with defaults. */
export function withDefaults(options: SimpleMdmOptions): TransportOptions {
  const { rate = DEFAULT_RATE, now = Date.now } = options;
  return {
    ...options,
    account: options.account ?? 'default',
    baseUrl: options.baseUrl ?? SIMPLEMDM_BASE_URL,
    timeoutMs: options.timeoutMs ?? 30_000,
    rateLimiter: options.rateLimiter ?? createLocalRateLimiter(rate, now),
    maxPauseWaitMs: options.maxPauseWaitMs ?? 60_000,
    retries: options.retries ?? 2,
    revealSecrets: options.revealSecrets ?? false,
    now,
  };
}
