import type { Redis } from 'ioredis';
import type { Account } from '../config/accounts.js';
import { KEY_PREFIX } from '../queues/connection.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import type { ApiCall } from '../http/api-call.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { createDirectory } from '../simplemdm/directory.js';
import { createSharedRateLimiter } from '../simplemdm/shared-rate-limiter.js';

/** What is the same for all accounts. */
export interface AccessOptions {
  /** Through which all processes share the rate budget of each account. */
  readonly redis: Redis;
  /** Calls a second for each account; twice as many may be made at once after a rest. */
  readonly callsPerSecond: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onCall: (call: ApiCall) => void;
  readonly onCircuit: (account: string, state: 'open' | 'closed') => void;
}

/** A client and a directory for each account that has an API key. */
export function openAccounts(
  accounts: ReadonlyMap<string, Account>,
  { redis, callsPerSecond, onCircuit, ...options }: AccessOptions,
): ReadonlyMap<string, AccountAccess> {
  const rate = { perSecond: callsPerSecond, burst: 2 * callsPerSecond };
  return new Map(
    [...accounts.values()].flatMap(({ name, apiKey, baseUrl }): [string, AccountAccess][] => {
      if (apiKey === undefined) return [];
      const api = createSimpleMdm({
        ...options,
        account: name,
        apiKey,
        baseUrl,
        rateLimiter: createSharedRateLimiter(redis, KEY_PREFIX, name, rate),
        // A paused account gives its jobs back to the queue, so that workers are free for other accounts.
        waitOutPauseMs: 0,
        onCircuit: (state) => onCircuit(name, state),
      });
      return [[name, { api, directory: createDirectory(api) }]];
    }),
  );
}
