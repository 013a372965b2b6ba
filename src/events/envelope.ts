import { z } from 'zod';

/** How deep the JSON of a webhook may nest; real ones stay under ten. */
export const MAX_DEPTH = 64;

// The checks come behind the type: on something else that has a length they would throw.
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

/** A JSON object of unknown fields, passed through as it is: rebuilding it would lose a field called `__proto__`. */
export const jsonObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** A webhook as SimpleMDM posts it: API reference, section Webhooks. Unknown fields beside the three are dropped; those in `data` are kept. */
export const webhookEnvelope = z.object({
  type: webhookType,
  at: webhookTime,
  /** The test button may send none. */
  data: jsonObject.nullish().transform((data) => data ?? {}),
});

/** A validated webhook body. */
export type Webhook = z.output<typeof webhookEnvelope>;

/** The step of ours that brought an event about. */
export const causeOfEvent = z.object({
  /** The event and the rule of the run that it belongs to. */
  event: z.string(),
  rule: z.string(),
  /** How many events in a row were brought about so: 1 when that run's event came from outside. */
  links: z.int().positive(),
});

/** The step of ours that brought an event about. */
export type CauseOfEvent = z.output<typeof causeOfEvent>;

const eventSource = z.enum(['webhook', 'replay', 'rule', 'schedule']);

/** An event in our envelope: what rules see, queues carry and the journal keeps. */
export const event = z.object({
  id: z.string(),
  account: z.string(),
  type: z.string(),
  /** When it happened, as the sender wrote it. */
  at: z.string(),
  /** When this service took it; ISO 8601, UTC. */
  receivedAt: z.string(),
  /** `rule`: a rule raised it. `schedule`: the clock made it for a rule. */
  source: eventSource,
  /** Of a replay: where the event that it repeats came from at first. */
  repeatedSource: eventSource.optional(),
  data: jsonObject,
  /** Absent when nothing of ours brought it about. */
  causedBy: causeOfEvent.optional(),
});

/** An event in our envelope. */
export type Event = z.output<typeof event>;
