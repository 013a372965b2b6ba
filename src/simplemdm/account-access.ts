import type { CachedLists } from './cached-lists.js';
import type { DeviceReads } from './device-reads.js';
import type { SimpleMdm } from './client.js';

/** How workers reach an account. */
export interface AccountAccess {
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  /** Reads device records for facts, many with one call. */
  readonly deviceReads: DeviceReads;
  /** Encrypts the secrets that runs of the account receive (src/runs/run-secrets.ts). */
  readonly sealingKey: Uint8Array;
}
