import { createNextMessage } from '../src/alerts/create-message.js';
import { deliverMessage } from '../src/alerts/deliver-message.js';
import type { DeliveryContext } from '../src/alerts/delivery-context.js';
import { handleMissingChannel } from '../src/alerts/missing-channel.js';
import type { Channel } from '../src/channels/open-channel.js';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { AlertJob } from '../src/queues/jobs.js';

/** What the alert worker needs. */
export interface AlertWorkerOptions extends DeliveryContext {
  readonly channels: () => ReadonlyMap<string, Channel>;
  /** Sends nothing: alerts keep waiting. */
  readonly readOnly: boolean;
}

/** Upper bound of a delay: new rules may change the delivery policy. A new group wakes its channel earlier. */
const RECHECK_INTERVAL_MS = 60_000;

/**
 * Sends the messages of a channel one after the other, in order. A failed message is retried before the next one, so the order is
 * kept. A message that cannot be delivered is marked undelivered, and the channel continues.
 */
export function createAlertHandler(
  options: AlertWorkerOptions,
): (job: JobHandle<AlertJob>) => Promise<JobOutcome> {
  const { store, logger } = options;
  return async (job) => {
    const { channel: name } = job.data;
    // The alerts stay in Redis until a process without READ_ONLY wakes the channel.
    if (options.readOnly) return { kind: 'completed' };
    for (;;) {
      if (options.stop.aborted) return { kind: 'requeue', reason: 'the service stops' };
      await job.confirmOwnership();
      // Before the groups are read: a group that is opened from now on wakes the channel again.
      await store.markChecked(name);
      const channel = options.channels().get(name);
      const message = await store.pendingMessage(name);
      if (channel === undefined) {
        const outcome = await handleMissingChannel(name, message, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      await store.clearMissing(name);
      if (message !== undefined) {
        const outcome = await deliverMessage(channel, message, job, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      const next = await createNextMessage(channel, options);
      if (next.kind === 'idle') return { kind: 'completed' };
      if (next.kind === 'created') continue;
      const reason = `waits until ${new Date(next.dueAt).toISOString()}`;
      logger.trace({ channel: name, reason }, 'channel waits');
      return {
        kind: 'retry',
        at: Math.min(next.dueAt, Date.now() + RECHECK_INTERVAL_MS),
        countsAttempt: false,
        reason,
      };
    }
  };
}
