import type { AlertTrace } from '../journal/trace.js';
import { titleWithStatus } from './alert.js';
import type { Alert } from './alert.js';
import type { DeliveryFailure } from './alert-store.js';
import type { DeliveryContext } from './delivery-context.js';
import { alertsIn } from './pending-message.js';
import type { PendingMessage } from './pending-message.js';

/** Records the failure in the traces, then moves the message to the undelivered ones. Traces first: no failed alert stays "queued". */
export async function markUndelivered(
  name: string,
  message: PendingMessage,
  failure: DeliveryFailure,
  options: DeliveryContext,
): Promise<void> {
  await recordOutcome(alertsIn(message), { status: 'failed', ...failure }, options);
  await options.store.markUndelivered(name, message, failure, options.keepUndeliveredMs);
}

/** Records the outcome of alerts in the traces of their events. */
export async function recordOutcome(
  alerts: readonly Alert[],
  outcome: Pick<AlertTrace, 'status' | 'reason' | 'code'>,
  { journal }: Pick<DeliveryContext, 'journal'>,
): Promise<void> {
  const at = new Date().toISOString();
  const records = alerts.flatMap((alert) => {
    const { id, channel, account, event } = alert;
    const title = titleWithStatus(alert);
    return event === undefined ? [] : [{ id, channel, title, at, ...outcome, event: event.id, account }];
  });
  if (records.length > 0) await journal.recordAlerts(records);
}
