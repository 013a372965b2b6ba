import { DeliveryError } from '../channels/channel.js';
import type { Receipt } from '../channels/channel.js';
import type { Channel } from '../channels/open-channel.js';
import { retryDelay } from '../queues/backoff.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { errorText } from '../telemetry/error-text.js';
import { markUndelivered, recordOutcome } from './alert-outcome.js';
import type { DeliveryFailure } from './alert-store.js';
import type { DeliveryContext } from './delivery-context.js';
import { withApprovalLinks } from './approval-links.js';
import { composeMessage } from './message.js';
import { alertCount, alertsIn } from './pending-message.js';
import type { PendingMessage } from './pending-message.js';

/** Makes one delivery attempt if the message is due. Undefined when the channel can continue with its next message. */
export async function deliverMessage(
  channel: Channel,
  message: PendingMessage,
  job: Pick<JobHandle<unknown>, 'confirmOwnership'>,
  options: DeliveryContext,
): Promise<JobOutcome | undefined> {
  const { store, metrics, logger, consoleUrl, redact } = options;
  const { name, type, maxLines } = channel;
  const nextAttemptAt = Date.parse(message.nextAttemptAt ?? message.at);
  if (message.nextAttemptAt !== undefined && nextAttemptAt > Date.now()) {
    const reason = `next attempt at ${message.nextAttemptAt}`;
    return { kind: 'retry', at: nextAttemptAt, countsAttempt: false, reason };
  }
  const { groups, hideTokens } = await withApprovalLinks(message.groups, options);
  let receipt: Receipt;
  try {
    const composed = composeMessage(message.id, groups, new Date(message.at), consoleUrl, maxLines);
    receipt = await channel.send(composed, options.stop);
  } catch (error) {
    if (options.stop.aborted) return { kind: 'requeue', reason: 'the service stops' };
    // Another worker may have continued with the message; then its result counts.
    await job.confirmOwnership();
    const hide = (text: string): string => redact(hideTokens(text));
    return handleFailure(channel, message, error, { ...options, redact: hide });
  }
  const warning = receipt.warning && {
    code: receipt.warning.code,
    reason: redact(hideTokens(receipt.warning.message)),
  };
  // Traces first: if the process dies now, the message is sent twice, but no sent alert stays "queued".
  await recordOutcome(alertsIn(message), { status: 'sent', ...warning }, options);
  await store.markDelivered(name, message, Date.now(), channel.policy);
  metrics.messages.inc({ channel: name, type, outcome: 'sent' });
  const context = { channel: name, message: message.id, alerts: alertCount(message) };
  if (warning === undefined) logger.info(context, 'message sent');
  else logger.warn({ ...warning, ...context }, 'message sent, but some recipients were rejected');
  return undefined;
}

/** Schedules the next attempt, or marks the message undelivered. Unexpected errors use up attempts too: no message may block its channel forever. */
async function handleFailure(
  { name, type }: Channel,
  message: PendingMessage,
  error: unknown,
  options: DeliveryContext,
): Promise<JobOutcome | undefined> {
  const { store, policy, metrics, logger, redact } = options;
  const attempts = message.attempts + 1;
  const { code, retryable, notBefore } =
    error instanceof DeliveryError
      ? error
      : { code: 'channel/unexpected-error' as const, retryable: true, notBefore: undefined };
  const failure: DeliveryFailure = { code, reason: redact(errorText(error)) };
  const context = { channel: name, message: message.id, alerts: alertCount(message), attempts };
  if (!retryable || attempts >= policy.attempts) {
    await markUndelivered(name, { ...message, attempts }, failure, options);
    metrics.messages.inc({ channel: name, type, outcome: 'failed' });
    logger.error(
      { ...failure, ...context },
      'message not delivered; to send it again, run "mdm-reflex alerts retry"',
    );
    return undefined;
  }
  const now = Date.now();
  const at = now + retryDelay(policy, attempts, Math.random(), notBefore === undefined ? 0 : notBefore - now);
  const nextAttemptAt = new Date(at).toISOString();
  await store.savePending(name, { ...message, attempts, nextAttemptAt });
  metrics.messages.inc({ channel: name, type, outcome: 'retried' });
  logger.warn({ ...failure, ...context, nextAttemptAt }, 'message not delivered; will retry');
  return { kind: 'retry', at, countsAttempt: false, ...failure };
}
