import type { CachedLists } from './cached-lists.js';
import type { SimpleMdm } from './client.js';

/** How workers reach an account. */
export interface AccountAccess {
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
}
