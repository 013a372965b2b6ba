import { z } from 'zod';

/** How bad it is, the least first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** How bad it is. */
export type Severity = (typeof SEVERITIES)[number];

/** Something that people are to be told by a channel. */
export const alert = z.object({
  /** The same for every attempt to tell it, so that it is told once. */
  id: z.string(),
  channel: z.string(),
  account: z.string(),
  /** The rule that tells it; undefined when the service itself does. */
  rule: z.string().optional(),
  description: z.string().optional(),
  event: z.object({ id: z.string(), type: z.string() }).optional(),
  device: z.object({ id: z.int().optional(), name: z.string().optional() }).optional(),
  title: z.string(),
  text: z.string(),
  severity: z.enum(SEVERITIES),
  /** More names and values to group and to silence by. */
  labels: z.record(z.string(), z.string()),
  /** ISO 8601. */
  at: z.string(),
});

/** Something that people are to be told by a channel. */
export type Alert = z.output<typeof alert>;

/** Everything that an alert can be grouped and silenced by. */
export function labelsOf(given: Alert): Record<string, string> {
  const { channel, account, rule, event, device, severity, title } = given;
  return {
    ...given.labels,
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
