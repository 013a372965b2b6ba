import type { Queue } from 'bullmq';
import { StepError } from '../src/actions/action.js';
import type { Alert } from '../src/alerts/alert.js';
import type { AlertStore } from '../src/alerts/alert-store.js';
import type { Channel } from '../src/channels/open-channel.js';
import type { Journal } from '../src/journal/journal.js';
import { channelJobId } from '../src/queues/queues.js';
import type { AlertJob } from '../src/queues/jobs.js';
import { redactJson } from '../src/telemetry/redaction.js';
import type { Redact } from '../src/telemetry/redaction.js';
import { alert as alertForm } from '../src/alerts/alert.js';

/** Where messages to people go. */
export interface TellOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly queue: Queue<AlertJob>;
  readonly journal: Journal;
  readonly redact: Redact;
}

/** Something that the service itself has to say. */
export interface Announcement {
  /** The same for the same trouble, so that it is told once. */
  readonly id: string;
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
export interface Teller {
  /** @throws StepError when there is no such channel. */
  readonly tell: (alert: Alert) => Promise<void>;
  /** Tells every channel that wants to hear of the service's own troubles. */
  readonly announce: (announcement: Announcement) => Promise<void>;
}

/** What hands messages to the queue of their channel. */
export function createTeller({ channels, store, queue, journal, redact }: TellOptions): Teller {
  const tell = async (given: Alert): Promise<void> => {
    const channel = channels().get(given.channel);
    if (channel === undefined) throw new StepError(`there is no channel "${given.channel}" (any more)`);
    // A template may have been filled in with a secret of the environment.
    const alert = alertForm.parse(redactJson(redact, given));
    const taken = await store.take(alert, channel.calm);
    if (alert.event !== undefined && taken !== 'known') {
      const status = taken === 'taken' ? ('queued' as const) : ('repeated' as const);
      const reason = 'the same was told a short while ago (repeat_interval)';
      const { id, title, at } = alert;
      await journal.recordAlerts([
        {
          id,
          channel: channel.name,
          title,
          status,
          at,
          event: alert.event.id,
          ...(taken === 'repeated' && { reason }),
        },
      ]);
    }
    await wake(queue, channel.name);
  };
  return {
    tell,
    announce: async ({ id, kind, ...about }) => {
      const wanting = [...channels().values()].filter(({ calm }) => calm.serviceAlerts);
      for (const { name } of wanting) {
        await tell({
          ...about,
          id,
          channel: name,
          labels: { service: kind },
          at: new Date().toISOString(),
        });
      }
    },
  };
}

/** Sees to it that somebody works on a channel; nothing happens when somebody does already. */
export async function wake(queue: Queue<AlertJob>, channel: string): Promise<void> {
  await queue.add('deliver', { channel }, { jobId: channelJobId(channel) });
}
