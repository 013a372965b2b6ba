import type { Queue } from 'bullmq';
import { alert as alertForm } from './alert.js';
import type { Alert } from './alert.js';
import { MAX_ALERTS_PER_GROUP } from './alert-store.js';
import type { AlertStore, AddResult } from './alert-store.js';
import { deliveryPolicyFrom } from './delivery-policy.js';
import type { Channel } from '../channels/open-channel.js';
import type { Journal } from '../journal/journal.js';
import type { AlertTrace } from '../journal/trace.js';
import { channelJobId, wakeJob } from '../queues/queues.js';
import type { AlertJob } from '../queues/jobs.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';

/** Where messages to people go. */
export interface AlertDispatcherOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly queue: Queue<AlertJob>;
  readonly journal: Journal;
  readonly redact: Redact;
  /** Whether nobody is told anything. */
  readonly readOnly: boolean;
}

/** Something that the service itself has to say. */
export interface ServiceAlert {
  /** The same for the same trouble, so that it is told once. */
  readonly id: string;
  /** When it began, so that the same trouble another time is told another time: when a run failed, since when a rule is held. */
  readonly since?: string;
  /** Troubles of a kind are one message. */
  readonly kind: 'chain' | 'failed' | 'held';
  readonly account: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Alert['severity'];
  readonly rule?: string;
  readonly event?: Alert['event'];
}

/** Hands messages to the queue of their channel. */
export interface AlertDispatcher {
  readonly dispatch: (alert: Alert) => Promise<void>;
  /** Tells every channel that wants to hear of the service's own troubles. */
  readonly dispatchServiceAlert: (announcement: ServiceAlert) => Promise<void>;
}

/** What hands messages to the queue of their channel. */
export function createAlertDispatcher(options: AlertDispatcherOptions): AlertDispatcher {
  const { channels, store, queue, journal, redact, readOnly } = options;
  const dispatch = async (given: Alert): Promise<void> => {
    // A channel that this process does not know is worked on by one that does, or its messages are put aside in the end.
    const calm = channels().get(given.channel)?.policy ?? deliveryPolicyFrom({});
    // A template may have been filled in with a secret of the environment.
    const masked = alertForm.parse(redactJson(redact, given));
    // Names are worked with: one that holds a word of the environment is still the name.
    const alert: Alert = {
      ...masked,
      channel: given.channel,
      account: given.account,
      ...(given.rule !== undefined && { rule: given.rule }),
    };
    const { id, channel, title, at, event } = alert;
    const taken = await store.add(alert, calm);
    if (event !== undefined && taken !== 'known') {
      await journal.recordAlerts([{ id, channel, title, at, ...TRACE_OF_RESULT[taken], event: event.id }]);
    }
    await wakeChannel(queue, channel, { soon: taken === 'opened' });
  };
  return {
    dispatch,
    dispatchServiceAlert: async (announcement) => {
      if (readOnly) return;
      const { kind, id, since, ...about } = announcement;
      const wanting = [...channels().values()].filter(({ policy }) => policy.serviceAlerts);
      for (const { name } of wanting) {
        await dispatch({
          ...about,
          id: since === undefined ? id : `${id}:${since}`,
          channel: name,
          labels: { service: kind },
          at: new Date().toISOString(),
        });
      }
    },
  };
}

const TRACE_OF_RESULT: Readonly<Record<Exclude<AddResult, 'known'>, Pick<AlertTrace, 'status' | 'reason'>>> =
  {
    opened: { status: 'queued' },
    joined: { status: 'queued' },
    counted: {
      status: 'counted',
      reason: `${MAX_ALERTS_PER_GROUP} of its group waited before it: the message counts it and does not name it`,
    },
    repeated: { status: 'repeated', reason: 'the same was told a short while ago (repeat_interval)' },
  };

/**
 * Sees to it that somebody works on a channel; nothing happens when somebody does already.
 *
 * @param soon - Also when it waits for what it has: there is something that may be due earlier.
 */
export async function wakeChannel(
  queue: Queue<AlertJob>,
  channel: string,
  { soon }: { readonly soon: boolean },
): Promise<void> {
  const jobId = channelJobId(channel);
  await queue.add('deliver', { channel }, { jobId });
  if (soon) await wakeJob(queue, jobId);
}

/** Wakes the channels that have something to send: the job of one may have been lost, or have been at work when a group was opened. */
export async function wakeBusyChannels(store: AlertStore, queue: Queue<AlertJob>): Promise<void> {
  const opened = new Set(await store.openedChannels());
  for (const channel of await store.busyChannels())
    await wakeChannel(queue, channel, { soon: opened.has(channel) });
}
