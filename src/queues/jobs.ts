import { z } from 'zod';
import { event } from '../events/envelope.js';
import type { Event } from '../events/envelope.js';
import { apiCall } from '../http/api-call.js';
import { ruleOfJob } from './rule-of-job.js';

/**
 * What a job waits for. Interactive jobs come from webhooks, and from what a person asks for: a replay of one event, an approval. Bulk jobs
 * come from sweeps, from replays of many events, and from what bulk jobs emit; they never delay interactive ones.
 */
export type Lane = (typeof LANES)[number];

/** All lanes. */
export const LANES = ['interactive', 'bulk'] as const;

/** Jobs are interactive unless they say otherwise. */
const lane = z.literal('bulk').optional();

/** The lane of a job. */
export function laneOf({ lane }: { readonly lane?: 'bulk' | undefined }): Lane {
  return lane ?? 'interactive';
}

/** How a job keeps its lane. */
export function inLane(lane: Lane): { readonly lane?: 'bulk' } {
  return lane === 'bulk' ? { lane } : {};
}

/** The lane of the runs of an event: what bulk work causes is bulk work. */
export function laneOfRuns(job: Pick<EventJob, 'lane'>, { causedBy }: Pick<Event, 'causedBy'>): Lane {
  return laneOf(job) === 'bulk' || causedBy?.lane === 'bulk' ? 'bulk' : 'interactive';
}

/** BullMQ starts jobs without priority before those with one. */
export function priorityOf(lane: Lane): number {
  return lane === 'bulk' ? 1 : 0;
}

/** A wait for the inventory of a device that enrolled recently. */
export const inventoryWait = z.object({
  /** The first look, ISO 8601. */
  since: z.string(),
  /** How many looks there have been. */
  looks: z.int(),
  nextLookAt: z.string(),
});

/** A wait for inventory. */
export type InventoryWait = z.output<typeof inventoryWait>;

/** A job of the queue "events": one event to process. */
export const eventJob = z.object({
  event,
  lane,
  /** Set while rules wait for inventory. The other rules of the event are decided then, and stay so. */
  inventoryWait: inventoryWait.optional(),
});

/** A job of the queue "events". */
export type EventJob = z.output<typeof eventJob>;

/** `retrying` is never the final status. */
const stepStatus = z.enum(['pending', 'running', 'waiting', 'retrying', 'completed', 'skipped', 'failed']);

const attemptRecord = z.object({
  action: z.string(),
  id: z.string().optional(),
  status: stepStatus,
  attempts: z.int(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  /** Why the step was skipped or failed, or what it waits for. */
  reason: z.string().optional(),
  /** The error code of the reason, when the reason is a problem. */
  code: z.string().optional(),
  nextAttemptAt: z.string().optional(),
  /** The number of the replay that restarted the step, because its rule had changed. Makes what the step sends distinct from before. */
  restartedByReplay: z.int().optional(),
  /** The wait for inventory that the step names, also after it. */
  inventoryWait: inventoryWait.optional(),
  /** When that wait ended. */
  inventoryWaitEndedAt: z.string().optional(),
  /** Whether the step has waited. Facts from before the wait may be outdated. */
  hasWaited: z.boolean().optional(),
  /**
   * Start of an attempt whose outcome is unknown. Set before a call that changes something, cleared by the response. After a crash or a
   * lost response, the step looks for the effect of that attempt before it repeats the call.
   */
  inDoubtSince: z.string().optional(),
  /** What later steps can use as `steps.<id>`. */
  output: z.record(z.string(), z.unknown()).optional(),
  /** The secrets of the output, encrypted. Traces do not have them. */
  sealed: z.string().optional(),
  /** The last calls of the step. */
  calls: z.array(apiCall),
});

/** The record of a step, saved with the job, so that a retry or a restart continues behind the last finished step. */
export const stepRecord = z.object({
  ...attemptRecord.shape,
  /** With `for_each`: the list as it was when the step started. */
  items: z.array(z.unknown()).optional(),
  /** With `for_each`: one record per item. */
  itemRecords: z.array(attemptRecord).optional(),
});

/** The record of a step, or of one item of its list. */
export type AttemptRecord = z.output<typeof attemptRecord>;

/** The record of a step. */
export type StepRecord = z.output<typeof stepRecord>;

/** Whether an edge belongs to live runs or to dry runs: a dry run must not use up an edge of the live rule. */
export const edgeMode = z.enum(['live', 'dry_run']);

/** Whether an edge belongs to live runs or to dry runs. */
export type EdgeMode = z.output<typeof edgeMode>;

/** The event with which the condition of a rule turned true for a device. */
export const raise = z.object({
  event: z.string(),
  /** When: ISO 8601. */
  at: z.string(),
  name: z.string().optional(),
  serialNumber: z.string().optional(),
});

/** The event with which the condition of a rule turned true for a device. */
export type Raise = z.output<typeof raise>;

/** Why a rule with `when` runs: its condition turned true (`raise`: `do` runs), or false again (`clear`: `on_clear` runs). */
export const runEdge = z.object({
  kind: z.enum(['raise', 'clear']),
  mode: edgeMode,
  device: z.int(),
  raised: raise,
});

/** Why a rule with `when` runs. */
export type RunEdge = z.output<typeof runEdge>;

/** A question that a run asked, and its answer when there is one. */
export const approvalRecord = z.object({
  id: z.string(),
  /** `run`, or the position of the step that waited. */
  place: z.string(),
  /** ISO 8601, like all times here. */
  requestedAt: z.string(),
  expiresAt: z.string(),
  answer: z.enum(['approved', 'rejected', 'expired', 'withdrawn']).optional(),
  at: z.string().optional(),
  /** Who answered, where, and from which network address. */
  by: z.string().optional(),
  via: z.enum(['link', 'console', 'command line']).optional(),
  address: z.string().optional(),
});

/** A question that a run asked. */
export type ApprovalRecord = z.output<typeof approvalRecord>;

/** A job of the queue "runs": one rule applied to one event. */
export const runJob = z.object({
  event,
  /** That of the event. */
  lane,
  /** The rule as it was when the run was planned. `${env:NAME}` is not resolved, so the queue holds no secret. */
  rule: ruleOfJob,
  /** By position in the rule's `do`, or in its `on_clear`. */
  steps: z.array(stepRecord),
  plannedAt: z.string(),
  /** The time in which its steps wait for inventory, ISO 8601. */
  settling: z.object({ since: z.string(), until: z.string() }).optional(),
  /** Whether the run has started: a run limit holds only runs that have not. */
  admitted: z.boolean().optional(),
  /** For a rule with `when`. */
  edge: runEdge.optional(),
  /** What the run asked people. */
  approvals: z.array(approvalRecord).optional(),
  /** The keys of `once_per`. */
  onceKeys: z.array(z.string()).optional(),
  /** The concurrency group of the run; undefined when the event has no device and the rule has no key. */
  group: z.string().optional(),
  /** How often the run was replayed. A replay uses the current rule if the finished steps are still its first ones. */
  replays: z.int().optional(),
  /** The last replay, ISO 8601. */
  replayedAt: z.string().optional(),
  /** Why the run waits before its first step, and when that was last recorded (ISO 8601). */
  waitReason: z.string().optional(),
  waitRecordedAt: z.string().optional(),
  /** Since when the rule is in no rule file, ISO 8601. */
  ruleMissingSince: z.string().optional(),
});

/** A job of the queue "runs". */
export type RunJob = z.output<typeof runJob>;

/** A job of the queue "alerts": a channel has something to send. The worker composes the message when it sends. */
export const alertJob = z.object({ channel: z.string() });

/** A job of the queue "alerts". */
export type AlertJob = z.output<typeof alertJob>;

/** A job of the queue "schedules": one tick of a rule's schedule. It starts a sweep for each account. */
export const scheduleJob = z.object({
  rule: z.string(),
  /** Since when no worker has the rule, ISO 8601. */
  ruleMissingSince: z.string().optional(),
});

/** A job of the queue "schedules". */
export type ScheduleJob = z.output<typeof scheduleJob>;

/** The progress of a sweep, so that a retry or a restart continues from it. */
const sweepProgress = z.object({
  lastDeviceId: z.int().optional(),
  /** The number of devices evaluated. */
  evaluated: z.int(),
  /** The number of events emitted. */
  emitted: z.int(),
});

/** The progress of a sweep. */
export type SweepProgress = z.output<typeof sweepProgress>;

/** A job of the queue "sweeps": one rule, one account, one tick of the rule's schedule. */
export const sweepJob = z.object({
  rule: z.string(),
  account: z.string(),
  /** The job of the tick, and when it was due (ISO 8601). */
  tick: z.object({ id: z.string(), at: z.string() }),
  progress: sweepProgress.optional(),
  /** Since when no worker has the rule or the account, ISO 8601. */
  ruleMissingSince: z.string().optional(),
});

/** A job of the queue "sweeps". */
export type SweepJob = z.output<typeof sweepJob>;
