import { z } from 'zod';
import { event } from '../events/envelope.js';
import { stepRecord } from '../queues/jobs.js';
import { apiCall } from '../http/api-call.js';

/** A fact as the journal keeps it. */
export const factTrace = z.object({
  status: z.enum(['found', 'missing', 'failed']),
  value: z.unknown(),
  fetchedAt: z.string(),
  durationMs: z.number(),
  calls: z.array(apiCall),
  error: z.string().optional(),
  /** The error code of `error`. */
  code: z.string().optional(),
});

/** What became of a rule for the event, and why. */
export const ruleTrace = z.object({
  rule: z.string(),
  description: z.string().optional(),
  verdict: z.enum(['matched', 'not_matched', 'error', 'waiting', 'disabled']),
  reason: z.string(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  /** It was passed by because a step of ours brought the event about. */
  ownAction: z.boolean().optional(),
  decidedAt: z.string(),
});

/** What became of the event itself, apart from its runs. */
export const processingTrace = z.object({
  state: z.enum(['processing', 'waiting', 'done', 'failed']),
  attempts: z.int(),
  at: z.string(),
  /** Why it waits or failed. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  nextAttemptAt: z.string().optional(),
});

/** A run: one rule triggered by one event. */
export const runTrace = z.object({
  rule: z.string(),
  status: z.enum(['queued', 'running', 'waiting', 'completed', 'failed']),
  plannedAt: z.string(),
  finishedAt: z.string().optional(),
  /** Why it waits or failed. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  steps: z.array(stepRecord),
});

/** What became of a message to people. */
export const alertTrace = z.object({
  id: z.string(),
  channel: z.string(),
  title: z.string(),
  /** `repeated` and `silenced`: nobody was told, because the channel or a person wanted it so. `counted`: told as a number only. */
  status: z.enum(['queued', 'counted', 'sent', 'repeated', 'silenced', 'failed']),
  at: z.string(),
  /** Why it was not sent. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
});

/** Where an event stands as a whole. */
export const eventStatus = z.enum(['queued', 'processing', 'waiting', 'completed', 'failed', 'no_match']);

/** An event in a list. */
export const eventSummary = z.object({
  ...event.shape,
  status: eventStatus,
  rules: z.array(z.string()),
  /** One line on why it waits or failed. */
  reason: z.string().optional(),
  /** No rule took it because a step of ours brought it about. */
  ownAction: z.boolean().optional(),
  /** What the device is called, once it has been looked up. */
  deviceName: z.string().optional(),
});

/** The record of an event. */
export const trace = z.object({
  ...eventSummary.shape,
  processing: processingTrace.optional(),
  facts: z.record(z.string(), factTrace),
  decisions: z.array(ruleTrace),
  runs: z.array(runTrace),
  alerts: z.array(alertTrace),
});

export type AlertTrace = z.output<typeof alertTrace>;
export type FactTrace = z.output<typeof factTrace>;
export type RuleTrace = z.output<typeof ruleTrace>;
export type ProcessingTrace = z.output<typeof processingTrace>;
export type RunTrace = z.output<typeof runTrace>;
export type EventStatus = z.output<typeof eventStatus>;
export type EventSummary = z.output<typeof eventSummary>;
export type Trace = z.output<typeof trace>;

/** Where an event stands, from what is known of it and its runs. The worst news comes first. */
export function statusOf(processing: ProcessingTrace | undefined, runs: readonly RunTrace[]): EventStatus {
  const any = (status: RunTrace['status']): boolean => runs.some((run) => run.status === status);
  if (processing?.state === 'failed' || any('failed')) return 'failed';
  if (processing?.state === 'waiting' || any('waiting')) return 'waiting';
  if (processing === undefined) return 'queued';
  if (processing.state === 'processing' || any('running') || any('queued')) return 'processing';
  return runs.length === 0 ? 'no_match' : 'completed';
}
