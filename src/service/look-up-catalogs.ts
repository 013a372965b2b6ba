import { setTimeout as delay } from 'node:timers/promises';
import { loadReferenceCatalogs } from '../actions/reference-catalog.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { withLane } from '../simplemdm/lane.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/** A reload of the rules waits this long for SimpleMDM: rules must change also while SimpleMDM does not respond. */
const CATALOG_TIMEOUT_MS = 5000;

/** Looks up what rules can refer to in each account; undefined when SimpleMDM does not tell in time. */
export async function lookUpCatalogs(
  accounts: ReadonlyMap<string, AccountAccess>,
  logger: Logger,
): Promise<Vocabulary['catalogs']> {
  const timeout = delay(CATALOG_TIMEOUT_MS, undefined, { ref: false });
  const lists = [...accounts].map(([name, access]) => [name, access.lists] as const);
  try {
    // A check of the rules is not urgent. A worker that needs one of the lists raises it.
    return await Promise.race([withLane('bulk', () => loadReferenceCatalogs(lists)), timeout]);
  } catch (error) {
    logger.debug({ reason: errorText(error) }, 'the reference catalog could not be looked up');
    return undefined;
  }
}
