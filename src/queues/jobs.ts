import { z } from 'zod';
import { event } from '../events/envelope.js';
import { ruleSource } from '../rules/model/rule-schema.js';
import { apiCall } from '../http/api-call.js';

/** A job of the queue "events": one event to be looked at. */
export const eventJob = z.object({ event });

/** A job of the queue "events". */
export type EventJob = z.output<typeof eventJob>;

/** What a step came to; `retrying` is never the last word. */
const stepStatus = z.enum(['pending', 'running', 'waiting', 'retrying', 'completed', 'skipped', 'failed']);

const attemptRecord = z.object({
  action: z.string(),
  id: z.string().optional(),
  status: stepStatus,
  attempts: z.int(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  /** Why it was skipped or failed, or what it waits for. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  nextAttemptAt: z.string().optional(),
  /** Which replay began it afresh, since it reads otherwise: what it sends then is something else than before. */
  afresh: z.int().optional(),
  /** Whether time has passed in it: what was looked up before it is not known any more. */
  waited: z.boolean().optional(),
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

/** What is known of a step of a run, kept in the job so that a retry or a restart resumes behind it. */
export const stepRecord = z.object({
  ...attemptRecord.shape,
  /** Of a step that is done for each of a list: the list as it was when the step began, and what each item came to. */
  items: z.array(z.unknown()).optional(),
  each: z.array(attemptRecord).optional(),
});

/** What is known of a step for one item of its list. */
export type AttemptRecord = z.output<typeof attemptRecord>;

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
  /** Runs of the rule with the same key stand to each other as the rule says; none without a key. */
  concurrencyKey: z.string().optional(),
  /** How often it was replayed: it then takes the rule as it is now, if the steps that are done are still its first ones. */
  replays: z.int().optional(),
  /** When it was replayed last, ISO 8601. */
  replayedAt: z.string().optional(),
  /** What it was seen to wait for before it went on, and when that was told last (ISO 8601): it is told once a day. */
  waitsFor: z.string().optional(),
  waitsToldAt: z.string().optional(),
  /** Since when its rule is in no rule file, ISO 8601. */
  goneSince: z.string().optional(),
});

/** A job of the queue "runs". */
export type RunJob = z.output<typeof runJob>;

/** A job of the queue "alerts": a channel has something to send. What, is kept apart: it is put together when it is sent. */
export const alertJob = z.object({ channel: z.string() });

/** A job of the queue "alerts". */
export type AlertJob = z.output<typeof alertJob>;

/** A job of the queue "schedules": the time has come for a rule. It only begins a sweep for each account. */
export const scheduleJob = z.object({
  rule: z.string(),
  /** Since when, in epoch milliseconds, it waits for a worker that has the rule. */
  absentSince: z.number().optional(),
});

/** A job of the queue "schedules". */
export type ScheduleJob = z.output<typeof scheduleJob>;

/** How far a sweep has gone over the fleet of its account, so that a retry or a restart goes on there. */
const sweepProgress = z.object({
  /** The last device that was looked at. */
  after: z.int().optional(),
  looked: z.int(),
  raised: z.int(),
});

/** How far a sweep has gone. */
export type SweepProgress = z.output<typeof sweepProgress>;

/** A job of the queue "sweeps": one rule, one account, one tick of the rule's schedule. */
export const sweepJob = z.object({
  rule: z.string(),
  account: z.string(),
  /** The job of the tick, and when it was due (ISO 8601). */
  tick: z.object({ id: z.string(), at: z.string() }),
  progress: sweepProgress.optional(),
  /** Since when, in epoch milliseconds, it waits for a worker that has the rule. */
  absentSince: z.number().optional(),
});

/** A job of the queue "sweeps". */
export type SweepJob = z.output<typeof sweepJob>;
