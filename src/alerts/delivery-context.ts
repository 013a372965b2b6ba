import type { Approvals } from '../coordination/approvals.js';
import type { Journal } from '../journal/journal.js';
import type { RetryPolicy } from '../queues/backoff.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Redact } from '../telemetry/redaction.js';
import type { AlertStore } from './alert-store.js';
import type { Silences } from './silences.js';

/** What the delivery of messages needs. */
export interface DeliveryContext {
  readonly store: AlertStore;
  readonly silences: Silences;
  readonly journal: Pick<Journal, 'recordAlerts'>;
  readonly policy: RetryPolicy;
  /** How long undelivered messages are kept. */
  readonly keepUndeliveredMs: number;
  /** The base URL of the console, for links. */
  readonly consoleUrl: string | undefined;
  readonly approvals: Approvals;
  /** Responses of services may repeat a secret that was sent to them. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborts deliveries when the process stops. */
  readonly stop: AbortSignal;
}
