import type { Queue } from 'bullmq';
import { alert as alertSchema, titleWithStatus } from './alert.js';
import type { Alert, NewAlert } from './alert.js';
import { MAX_ALERTS_PER_GROUP } from './alert-store.js';
import type { AlertStore, AddResult } from './alert-store.js';
import { deliveryPolicyFrom } from './delivery-policy.js';
import type { Channel } from '../channels/open-channel.js';
import type { Journal } from '../journal/journal.js';
import type { AlertTrace } from '../journal/trace.js';
import type { AlertJob } from '../queues/jobs.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { wakeChannel } from './wake-channel.js';

/** What the dispatcher needs. */
export interface AlertDispatcherOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly queue: Queue<AlertJob>;
  readonly journal: Pick<Journal, 'recordAlerts'>;
  readonly redact: Redact;
  /** Suppresses service alerts. */
  readonly readOnly: boolean;
}

/** An alert about the service itself: a failed run, a held rule, a cut chain. */
export interface ServiceAlert {
  /** The same for the same problem, so that the problem is reported once. */
  readonly id: string;
  /** When the problem began. The same problem at another time is reported again. */
  readonly since?: string;
  /** The value of the label `service`, by which service alerts are grouped. */
  readonly kind: 'chain' | 'failed' | 'held';
  readonly account: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Alert['severity'];
  readonly rule?: string;
  readonly event?: Alert['event'];
}

/** Adds alerts to the store and wakes their channels. */
export interface AlertDispatcher {
  readonly dispatch: (alert: NewAlert) => Promise<void>;
  /** Dispatches to every channel with `service_alerts: true`. */
  readonly dispatchServiceAlert: (serviceAlert: ServiceAlert) => Promise<void>;
}

/** Creates the dispatcher that runs and the service send alerts through. */
export function createAlertDispatcher(options: AlertDispatcherOptions): AlertDispatcher {
  const { channels, store, queue, journal, redact, readOnly } = options;
  const dispatch = async (original: NewAlert): Promise<void> => {
    // A channel that is unknown here may be known to another process; if not, the alert worker marks its messages undelivered.
    const policy = channels().get(original.channel)?.policy ?? deliveryPolicyFrom({});
    // A rendered template may contain a secret of the environment.
    const redacted = alertSchema.parse(redactJson(redact, original));
    // These names are identifiers: they must stay intact even when a part of one looks like a secret.
    const alert: Alert = {
      ...redacted,
      channel: original.channel,
      account: original.account,
      ...(original.rule !== undefined && { rule: original.rule }),
      ...(original.link !== undefined && { link: original.link }),
      ...(original.to !== undefined && { to: [...original.to] }),
    };
    const { id, channel, at, event } = alert;
    const result = await store.add(alert, policy);
    if (event !== undefined && result !== 'duplicate') {
      await journal.recordAlerts([
        {
          id,
          channel,
          title: titleWithStatus(alert),
          at,
          ...TRACE_OF_RESULT[result],
          event: event.id,
          account: alert.account,
        },
      ]);
    }
    await wakeChannel(queue, channel, { promote: result === 'opened' });
  };
  return {
    dispatch,
    dispatchServiceAlert: async (serviceAlert) => {
      if (readOnly) return;
      const { kind, id, since, ...rest } = serviceAlert;
      const receivers = [...channels().values()].filter(({ policy }) => policy.serviceAlerts);
      for (const { name } of receivers) {
        await dispatch({
          ...rest,
          id: since === undefined ? id : `${id}:${since}`,
          channel: name,
          key: `${rest.account}/${rest.rule ?? ''}/service-${kind}`,
          labels: { service: kind },
          at: new Date().toISOString(),
        });
      }
    },
  };
}

type AlertOutcome = Pick<AlertTrace, 'status' | 'reason' | 'code'>;

const TRACE_OF_RESULT: Readonly<Record<Exclude<AddResult, 'duplicate'>, AlertOutcome>> = {
  opened: { status: 'queued' },
  joined: { status: 'queued' },
  counted: {
    status: 'counted',
    reason: `its group already holds ${MAX_ALERTS_PER_GROUP} alerts: the message counts this alert but does not list it`,
    code: 'alert/counted-only',
  },
  repeated: { status: 'repeated', reason: 'the same alert was added less than repeat_interval ago' },
  not_open: { status: 'skipped', reason: 'nothing to resolve: no alert with this key is open' },
};
