import type { Shard } from '../queues/shards.js';
import { recordAccountStatus } from '../coordination/account-status.js';
import type { ApiCall } from '../http/api-call.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/**
 * Watches API calls for keys that stop or start working. A change is logged once and written to Redis, where every
 * process reads it for `/readyz`.
 */
export function watchAccounts(home: Shard, logger: Logger): (call: ApiCall) => void {
  const lastAccepted = new Map<string, boolean>();
  return ({ account, status, error }) => {
    if (status === undefined) return;
    const accepted = status !== 401;
    if (lastAccepted.get(account) === accepted) return;
    const reason = accepted ? undefined : error;
    if (accepted) logger.info({ account }, 'SimpleMDM accepts the API key');
    else
      logger.error(
        { code: 'api/refused-key', account, reason },
        'SimpleMDM refuses the API key: events of the account wait until the key is replaced',
      );
    lastAccepted.set(account, accepted);
    recordAccountStatus(home, account, {
      ok: accepted,
      since: new Date().toISOString(),
      ...(reason !== undefined && { reason }),
    }).catch((failure: unknown) => {
      // The next call tries again.
      lastAccepted.delete(account);
      logger.warn(
        { code: 'service/account-status-not-saved', account, reason: errorText(failure) },
        'the status of the account could not be saved',
      );
    });
  };
}
