import type { Account } from '../src/config/accounts.js';
import { createSimpleMdm } from '../src/simplemdm/client.js';
import type { SimpleMdm } from '../src/simplemdm/client.js';
import type { ApiCall } from '../src/simplemdm/call-log.js';
import { createDirectory } from '../src/simplemdm/directory.js';
import type { Directory } from '../src/simplemdm/directory.js';

/** What workers reach an account with. */
export interface AccountAccess {
  readonly api: SimpleMdm;
  readonly directory: Directory;
}

/** What is the same for all accounts. */
export interface AccessOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onCall: (call: ApiCall) => void;
}

/** A client and a directory for each account that has an API key. */
export function openAccounts(
  accounts: ReadonlyMap<string, Account>,
  options: AccessOptions,
): ReadonlyMap<string, AccountAccess> {
  return new Map(
    [...accounts.values()].flatMap(({ name, apiKey, baseUrl }): [string, AccountAccess][] => {
      if (apiKey === undefined) return [];
      const api = createSimpleMdm({ ...options, account: name, apiKey, baseUrl });
      return [[name, { api, directory: createDirectory(api) }]];
    }),
  );
}
