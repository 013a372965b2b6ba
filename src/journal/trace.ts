import { z } from 'zod';
import { event } from '../events/envelope.js';
import { approvalRecord, inventoryWait, stepRecord } from '../queues/jobs.js';
import { apiCall } from '../http/api-call.js';

/** A fact in the journal. */
export const factTrace = z.object({
  status: z.enum(['found', 'missing', 'failed']),
  value: z.unknown(),
  fetchedAt: z.string(),
  durationMs: z.number(),
  calls: z.array(apiCall),
  error: z.string().optional(),
  /** The error code of `error`. */
  code: z.string().optional(),
  /** What is odd about the value: fields that could not be read, several records of one device, an unknown platform. Never holds values. */
  warnings: z.array(z.string()).optional(),
});

/** The verdict on a rule for the event, and why. */
export const ruleTrace = z.object({
  rule: z.string(),
  description: z.string().optional(),
  verdict: z.enum(['matched', 'cleared', 'not_matched', 'error', 'waiting', 'disabled']),
  reason: z.string(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  /** Whether the rule ignored the event because an action of a rule caused it. */
  ownAction: z.boolean().optional(),
  /** What a rule waits for that the device has not reported yet, and until when. */
  inventory: z.object({ ...inventoryWait.shape, missing: z.array(z.string()), until: z.string() }).optional(),
  decidedAt: z.string(),
});

/** The processing of the event itself, apart from its runs. */
export const processingTrace = z.object({
  state: z.enum(['processing', 'waiting', 'completed', 'failed']),
  attempts: z.int(),
  at: z.string(),
  /** Why the event waits or failed. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  nextAttemptAt: z.string().optional(),
});

/** A run: one rule applied to one event. */
export const runTrace = z.object({
  rule: z.string(),
  status: z.enum(['queued', 'running', 'waiting', 'completed', 'failed']),
  plannedAt: z.string(),
  finishedAt: z.string().optional(),
  /** What the run asked people, and who answered. */
  approvals: z.array(approvalRecord).optional(),
  /** Whether the run performs `on_clear`. */
  clears: z.boolean().optional(),
  /** Why the run waits, failed, or skipped steps. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  steps: z.array(stepRecord),
});

/** An alert and its delivery. */
export const alertTrace = z.object({
  id: z.string(),
  channel: z.string(),
  title: z.string(),
  /**
   * `repeated` and `silenced`: not sent, because of the channel's delivery policy or a silence. `skipped`: there was nothing to
   * resolve. `counted`: the message only counts the alert.
   */
  status: z.enum(['queued', 'counted', 'sent', 'repeated', 'silenced', 'skipped', 'failed']),
  at: z.string(),
  /** Why the alert was not sent. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
});

/** The status of an event and its runs together. */
export const eventStatus = z.enum(['queued', 'processing', 'waiting', 'completed', 'failed', 'no_match']);

/** An event in a list. */
export const eventSummary = z.object({
  ...event.shape,
  status: eventStatus,
  rules: z.array(z.string()),
  /** Why the event or one of its runs waits or failed, in one line. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  /** Whether rules ignored the event because an action of a rule caused it. */
  ownAction: z.boolean().optional(),
  /** The name of the device, once it has been looked up. */
  deviceName: z.string().optional(),
});

/** What is recorded about an event. */
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

/** The status of an event from its processing and its runs. The worst one decides. */
export function statusOf(processing: ProcessingTrace | undefined, runs: readonly RunTrace[]): EventStatus {
  const any = (status: RunTrace['status']): boolean => runs.some((run) => run.status === status);
  if (processing?.state === 'failed' || any('failed')) return 'failed';
  if (processing?.state === 'waiting' || any('waiting')) return 'waiting';
  if (processing === undefined) return 'queued';
  if (processing.state === 'processing' || any('running') || any('queued')) return 'processing';
  return runs.length === 0 ? 'no_match' : 'completed';
}
