import { z } from 'zod';

/** How deep the JSON of a webhook may nest. Webhooks of SimpleMDM stay under ten levels. */
export const MAX_DEPTH = 64;

// `pipe`, because the checks would throw on other values that have a length.
const webhookType = z.string('expected a dotted event type such as "device.enrolled"').pipe(
  z
    .string()
    .max(128, 'expected at most 128 characters')
    .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'expected a dotted event type such as "device.enrolled"'),
);

const webhookTime = z.iso.datetime({
  offset: true,
  error: 'expected an ISO 8601 time with offset such as "2000-01-01T12:00:00.000-07:00"',
});

/** A JSON object with unknown fields, kept as is: a copy would lose a field called `__proto__`. */
export const jsonObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** The body of a webhook (SimpleMDM API reference, section Webhooks). Unknown fields are dropped, except in `data`. */
export const webhookEnvelope = z.object({
  type: webhookType,
  at: webhookTime,
  /** Missing when an admin presses the test button. */
  data: jsonObject.nullish().transform((data) => data ?? {}),
});

/** A validated webhook body. */
export type Webhook = z.output<typeof webhookEnvelope>;

/** The step of a run that caused an event. */
export const eventCause = z.object({
  /** The id of the event of that run. */
  event: z.string(),
  /** The rule of that run. */
  rule: z.string(),
  /** The number of consecutive events that runs caused: 1 when the event of that run came from outside. */
  chainLength: z.int().positive(),
});

/** The step of a run that caused an event. */
export type EventCause = z.output<typeof eventCause>;

const eventSource = z.enum(['webhook', 'replay', 'rule', 'schedule']);

/** An event as rules see it, queues carry it and the journal keeps it. */
export const event = z.object({
  id: z.string(),
  account: z.string(),
  type: z.string(),
  /** When the event happened, as the sender wrote it. */
  at: z.string(),
  /** When the service accepted the event: ISO 8601, UTC. */
  receivedAt: z.string(),
  /** `rule`: a rule emitted the event. `schedule`: the event is a tick of a schedule. */
  source: eventSource,
  /** Of a replay: the source of the original event. */
  originalSource: eventSource.optional(),
  data: jsonObject,
  /** Missing when no run caused the event. */
  causedBy: eventCause.optional(),
});

/** An event as rules see it, queues carry it and the journal keeps it. */
export type Event = z.output<typeof event>;
