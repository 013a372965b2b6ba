import type { SimpleMdm } from './client.js';
import type { Directory } from './directory.js';

/** What workers reach an account with. */
export interface AccountAccess {
  readonly api: SimpleMdm;
  readonly directory: Directory;
}
