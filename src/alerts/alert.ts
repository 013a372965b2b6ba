import { z } from 'zod';

/** Severities, the lowest first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** How serious an alert is. */
export type Severity = (typeof SEVERITIES)[number];

/** What an alert reports about its {@link Alert.key}: a problem, or that the problem is over. */
export const ALERT_STATUSES = ['triggered', 'resolved'] as const;

/** What an alert reports about its {@link Alert.key}: a problem, or that the problem is over. */
export type AlertStatus = (typeof ALERT_STATUSES)[number];

/** A notification for people, to be sent through one channel. */
export const alert = z.object({
  /** The same for every attempt to dispatch the alert, so that the alert is added once. */
  id: z.string(),
  channel: z.string(),
  account: z.string(),
  /** The rule that created the alert; undefined for service alerts. */
  rule: z.string().optional(),
  description: z.string().optional(),
  event: z.object({ id: z.string(), type: z.string() }).optional(),
  device: z.object({ id: z.int().optional(), name: z.string().optional() }).optional(),
  title: z.string(),
  text: z.string(),
  severity: z.enum(SEVERITIES),
  /** Additional labels for grouping and silences. */
  labels: z.record(z.string(), z.string()),
  /**
   * The dedup key: alerts with the same key are about the same problem, so that a later one updates the first or resolves it. The
   * same for every event; undefined when an alert stands alone.
   */
  key: z.string().optional(),
  status: z.enum(ALERT_STATUSES).default('triggered'),
  /** The alert that began the current problem of the key. Set when the alert is added. */
  episode: z.string().optional(),
  /** The last alert that reported the problem which this alert resolves. Set when the alert is added. */
  updates: z.string().optional(),
  /** Recipients in place of those of the channel, for channels that have recipients (e-mail). As rendered, not yet checked. */
  to: z.array(z.string()).optional(),
  /** A page that a person must open, such as that of an approval. Every channel shows the link. */
  link: z.object({ url: z.url({ protocol: /^https?$/ }), label: z.string() }).optional(),
  /**
   * Sent alone and at once: not grouped, not in a digest, not suppressed as a repeat or by a silence. For a question that a run waits
   * for. An alert with a link is always immediate.
   */
  immediate: z.boolean().optional(),
  /** The approval that the alert asks for. When the message is sent, it gets a link of its own, which Redis never sees. */
  approval: z.string().optional(),
  /** What the alert lacks, for its reader: a value that could not be filled in. */
  notes: z.array(z.string()).optional(),
  /** ISO 8601. */
  at: z.string(),
});

/** A notification for people, to be sent through one channel. */
export type Alert = z.output<typeof alert>;

/** An alert as its creator writes it: defaults may be left out. */
export type NewAlert = z.input<typeof alert>;

/** Whether an alert is sent alone and at once. */
export const isImmediate = ({ immediate, link }: Pick<Alert, 'immediate' | 'link'>): boolean =>
  immediate === true || link !== undefined;

/** The title of an alert, which says when a problem is over. */
export const titleWithStatus = ({ title, status }: Pick<Alert, 'title' | 'status'>): string =>
  status === 'resolved' && !/^resolved\b/i.test(title) ? `Resolved: ${title}` : title;

/** All labels that can group or silence an alert. */
export function labelsOf({
  labels,
  channel,
  account,
  rule,
  event,
  device,
  severity,
  title,
}: Alert): Record<string, string> {
  return {
    ...labels,
    channel,
    account,
    severity,
    title,
    ...(rule !== undefined && { rule }),
    ...(event && { event_type: event.type }),
    ...(device?.id !== undefined && { device: String(device.id) }),
    ...(device?.name !== undefined && { device_name: device.name }),
  };
}
