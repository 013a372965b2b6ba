import { GRACE_PERIODS, nextGraceCheck } from '../queues/grace-period.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { markUndelivered } from './alert-outcome.js';
import type { GroupSnapshot } from './alert-store.js';
import type { DeliveryContext } from './delivery-context.js';
import { newMessage } from './pending-message.js';
import type { PendingMessage } from './pending-message.js';

/**
 * Handles a channel that no rule file defines: its alerts wait for a grace period, then become undelivered messages. Undefined when
 * the channel has more to handle.
 */
export async function handleMissingChannel(
  name: string,
  message: PendingMessage | undefined,
  options: DeliveryContext,
): Promise<JobOutcome | undefined> {
  const { store, logger } = options;
  const [group] = message === undefined ? await store.openGroups(name) : [];
  if (message === undefined && group === undefined) {
    await store.markIdle(name);
    return { kind: 'completed' };
  }
  const failure = {
    code: 'channel/missing',
    reason: `there is no channel "${name}" in the rule files`,
  } as const;
  const { since, isNew } = await store.missingSince(name);
  const recheckAt = nextGraceCheck(since, GRACE_PERIODS.channel);
  if (recheckAt !== undefined) {
    if (isNew)
      logger.warn({ ...failure, channel: name }, 'messages wait up to ten minutes for their channel');
    return { kind: 'retry', at: recheckAt, countsAttempt: false, ...failure };
  }
  if (message !== undefined) {
    await markUndelivered(name, message, failure, options);
    logger.error({ ...failure, channel: name }, 'message not delivered');
    return undefined;
  }
  const snapshot = group === undefined ? undefined : await store.readGroup(name, group.key);
  if (snapshot !== undefined)
    await store.createMessage(name, newMessage([messageGroupOf(snapshot)]), [snapshot], []);
  return undefined;
}

const messageGroupOf = ({ key, alerts, more }: GroupSnapshot): PendingMessage['groups'][number] => ({
  key,
  alerts: [...alerts],
  more,
});
