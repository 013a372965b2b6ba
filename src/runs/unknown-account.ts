import type { FailureReason } from '../queues/job-outcome.js';

/** Why an event or a run fails whose account is no longer configured. */
export function unknownAccount(account: string): FailureReason {
  return { code: 'event/account-unknown', reason: `the account "${account}" is not configured` };
}
