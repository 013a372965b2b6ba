import type { Redis } from 'ioredis';
import { recordAccountStatus } from '../coordination/account-status.js';
import type { ApiCall } from '../http/api-call.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';

/**
 * Watches API calls for keys that stop or start working, says so once in the log, and keeps it in Redis, where every
 * process finds it for `/readyz`.
 */
export function watchAccounts(redis: Redis, logger: Logger): (call: ApiCall) => void {
  const last = new Map<string, boolean>();
  return ({ account, status, error }) => {
    if (status === undefined) return;
    const ok = status !== 401;
    if (last.get(account) === ok) return;
    const reason = ok ? undefined : error;
    if (ok) logger.info({ account }, 'SimpleMDM accepts the API key');
    else logger.error({ account, reason }, 'SimpleMDM refuses the API key: events wait until it is mended');
    last.set(account, ok);
    recordAccountStatus(redis, account, {
      ok,
      since: new Date().toISOString(),
      ...(reason !== undefined && { reason }),
    }).catch((failure: unknown) => {
      // Tried again at the next call.
      last.delete(account);
      logger.warn({ account, reason: errorText(failure) }, 'the state of the account could not be kept');
    });
  };
}
