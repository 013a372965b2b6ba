import { z } from 'zod';

/** How deep the JSON of a webhook may nest. Deeper values are kept as text. Webhooks of SimpleMDM stay under ten levels. */
export const MAX_DEPTH = 64;

/** Whether a JSON value is an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object with unknown fields, kept as is: a copy would lose a field called `__proto__`. */
export const jsonObject = z.custom<Record<string, unknown>>(isJsonObject, 'expected an object');

/** What an event takes from the body of a webhook (SimpleMDM API reference, section Webhooks). */
export interface Webhook {
  readonly type: string;
  /** ISO 8601 with offset. */
  readonly at: string;
  /** Unknown fields are kept. */
  readonly data: Record<string, unknown>;
}

/** The step of a run that caused an event. */
export const eventCause = z.object({
  /** The id of the event of that run. */
  event: z.string(),
  /** The rule of that run. */
  rule: z.string(),
  /** The number of consecutive events that runs caused: 1 when the event of that run came from outside. */
  chainLength: z.int().positive(),
  /** Set when that run was bulk work. */
  lane: z.literal('bulk').optional(),
});

/** The step of a run that caused an event. */
export type EventCause = z.output<typeof eventCause>;

const eventSource = z.enum(['webhook', 'replay', 'rule', 'schedule']);

/** An event as rules see it, queues carry it and the journal keeps it. */
export const event = z.object({
  id: z.string(),
  account: z.string(),
  type: z.string(),
  /** When the event happened, as the sender wrote it; the time of receipt when the webhook names no usable time. */
  at: z.string(),
  /** When the service accepted the event: ISO 8601, UTC. */
  receivedAt: z.string(),
  /** `rule`: a rule emitted the event. `schedule`: the event is a tick of a schedule. */
  source: eventSource,
  /** Of a replay: the source of the original event. */
  originalSource: eventSource.optional(),
  data: jsonObject,
  /** What was odd about the webhook: plain sentences. Missing when nothing was. */
  warnings: z.array(z.string()).optional(),
  /** The fields of the webhook that the event does not have as they were sent: odd ones and unknown ones. Rules do not see them. */
  original: jsonObject.optional(),
  /** Missing when no run caused the event. */
  causedBy: eventCause.optional(),
});

/** An event as rules see it, queues carry it and the journal keeps it. */
export type Event = z.output<typeof event>;
