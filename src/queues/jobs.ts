import { z } from 'zod';
import { event } from '../events/envelope.js';
import { ruleSource } from '../rules/rule-schema.js';
import { apiCall } from '../simplemdm/call-log.js';

/** A job of the queue "events": one event to be looked at. */
export const eventJob = z.object({ event });

/** A job of the queue "events". */
export type EventJob = z.output<typeof eventJob>;

/** What a step came to; `retrying` is never the last word. */
const stepStatus = z.enum(['pending', 'running', 'retrying', 'completed', 'skipped', 'failed']);

/** What is known of a step of a run, kept in the job so that a retry or a restart resumes behind it. */
export const stepRecord = z.object({
  action: z.string(),
  id: z.string().optional(),
  status: stepStatus,
  attempts: z.int(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  /** Why it was skipped or failed, or what it waits for. */
  reason: z.string().optional(),
  nextAttemptAt: z.string().optional(),
  /**
   * When an attempt began whose outcome is not known: written before a call that changes something, taken away when its answer
   * is in. What is found here after a crash or a lost answer must not simply be done again.
   */
  unsettledSince: z.string().optional(),
  /** What later steps can refer to as `steps.<id>`. */
  output: z.record(z.string(), z.unknown()).optional(),
  /** What was sent and what came back. */
  calls: z.array(apiCall),
});

/** What is known of a step of a run. */
export type StepRecord = z.output<typeof stepRecord>;

/** A job of the queue "runs": one rule triggered by one event, with the rule as it was then. */
export const runJob = z.object({
  event,
  /** As written in the file: `${env:NAME}` stays a name, so no secret stands in the queue. */
  rule: ruleSource,
  /** By position in the rule's `do`. */
  steps: z.array(stepRecord),
  plannedAt: z.string(),
  /** Whether it has begun: a ceiling holds back only what has not. */
  admitted: z.boolean().optional(),
  /** Set by a replay: take the rule as it is now, if the steps that are done are still its first ones. */
  replayed: z.boolean().optional(),
});

/** A job of the queue "runs". */
export type RunJob = z.output<typeof runJob>;
