import { z } from 'zod';

/** Severities, the lowest first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** How serious an alert is. */
export type Severity = (typeof SEVERITIES)[number];

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
  /** ISO 8601. */
  at: z.string(),
});

/** A notification for people, to be sent through one channel. */
export type Alert = z.output<typeof alert>;

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
