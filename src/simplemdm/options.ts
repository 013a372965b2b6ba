import type { ApiCall } from '../http/api-call.js';
import { createLocalRateLimiter } from './rate-limiter.js';
import type { Rate, RateLimiter } from './rate-limiter.js';
import type { TransportOptions } from './transport.js';

/** How to reach an account. Only the key must be given. */
export interface SimpleMdmOptions {
  /** From SimpleMDM, Settings, API. */
  readonly apiKey: string;
  /** A name for the account in errors and call records; `default` when left out. */
  readonly account?: string;
  /** Without a trailing slash; `https://a.simplemdm.com/api/v1` when left out. */
  readonly baseUrl?: string;
  /** How long an answer may take; 30 seconds when left out. Uploads have no limit. */
  readonly timeoutMs?: number;
  /** How many calls may be made from this process; 10 a second, 20 at once when left out. */
  readonly rate?: Rate;
  /** A budget shared with other processes, in place of `rate`. */
  readonly rateLimiter?: RateLimiter;
  /** How long a call waits for the end of a pause after a 429 before it fails; a minute when left out. */
  readonly waitOutPauseMs?: number;
  /** How often a call that failed on the way is made again where that is safe; 2 when left out. */
  readonly repetitions?: number;
  /**
   * Whether device records keep `filevault_recovery_key`, `firmware_password`, `recovery_lock_password` and the values of secret
   * custom attributes. When left out they are removed as the answer is read, so that they cannot leak.
   */
  readonly revealSecrets?: boolean;
  /** Breaks off all calls when aborted. */
  readonly signal?: AbortSignal;
  /** Told of every call that was really made. */
  readonly onCall?: (call: ApiCall) => void;
  /** Told when the account's calls are held because SimpleMDM does not answer, and when they go on. */
  readonly onCircuit?: (state: 'open' | 'closed') => void;
  /** Epoch milliseconds; the system's clock when left out. */
  readonly now?: () => number;
}

/** Where the API of SimpleMDM is. */
export const SIMPLEMDM_BASE_URL = 'https://a.simplemdm.com/api/v1';

/** SimpleMDM tells no limit of its own. */
export const DEFAULT_RATE: Rate = { perSecond: 10, burst: 20 };

/** The options with what was left out. */
export function withDefaults(options: SimpleMdmOptions): TransportOptions {
  const { rate = DEFAULT_RATE, now = Date.now } = options;
  return {
    ...options,
    account: options.account ?? 'default',
    baseUrl: options.baseUrl ?? SIMPLEMDM_BASE_URL,
    timeoutMs: options.timeoutMs ?? 30_000,
    budget: options.rateLimiter ?? createLocalRateLimiter(rate, now),
    waitOutPauseMs: options.waitOutPauseMs ?? 60_000,
    repetitions: options.repetitions ?? 2,
    revealSecrets: options.revealSecrets ?? false,
    now,
  };
}
