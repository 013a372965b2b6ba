import type { Queue } from 'bullmq';
import type { AlertDispatcher, ServiceAlert } from '../alerts/alert-dispatcher.js';
import { endRun, saveRun } from '../coordination/process-run.js';
import type { RunStore } from '../coordination/process-run.js';
import type { Approvals } from '../coordination/approvals.js';
import type { RaisedDevices } from '../coordination/raised-devices.js';
import type { ErrorCode } from '../errors/registry.js';
import type { Journal } from '../journal/journal.js';
import type { RunTrace } from '../journal/trace.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { FailureReason, JobOutcome, JobRetry } from '../queues/job-outcome.js';
import type { RunJob } from '../queues/jobs.js';
import { runId, wakeJob } from '../queues/queues.js';
import { DAY_S } from '../queues/retention.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { Rule } from '../rules/model/rule.js';
import type { Logger } from '../telemetry/logger.js';
import { keepOutputs } from './run-edge.js';
import { skippedStep, tracedSteps } from './step-records.js';

/** Where the state of runs is kept. */
export interface RunSessionOptions extends RunStore {
  readonly rules: () => readonly Rule[];
  readonly journal: Journal;
  readonly runs: Queue<RunJob>;
  readonly alerts: AlertDispatcher;
  readonly raised: RaisedDevices;
  readonly approvals: Approvals;
  readonly logger: Logger;
}

/** Why a run waits, skips its steps, or fails. */
export interface RunReason {
  readonly reason: string;
  readonly code?: ErrorCode;
}

/** The state of a run while a worker holds its job. */
export interface RunSession {
  readonly job: JobHandle<RunJob>;
  /** The current rule with the id of the run's rule. */
  readonly currentRule: RuleSource | undefined;
  readonly logger: Logger;
  readonly data: () => RunJob;
  /** Changes the data. {@link save} saves it. */
  readonly update: (changes: Partial<RunJob>) => void;
  readonly save: () => Promise<void>;
  /** The trace of the run as it is now. */
  readonly traceOf: (status: RunTrace['status']) => RunTrace;
  /**
   * Saves the data and records the run in one step.
   *
   * @param expected - The webhook that the next call will cause: see `EventCauses`.
   */
  readonly saveRunning: (expected?: ScriptPart) => Promise<void>;
  /** Records the run in the journal. */
  readonly record: (status: RunTrace['status'], why?: RunReason) => Promise<void>;
  /** Waits before the first step. Records and logs the reason when it changes. */
  readonly wait: (
    at: number,
    why: RunReason,
    changes?: Pick<RunJob, 'ruleMissingSince'>,
  ) => Promise<JobRetry>;
  /** The wait is over. */
  readonly clearWait: () => void;
  /** Ends the run and skips the steps that are left. */
  readonly skip: (why: RunReason) => Promise<JobOutcome>;
  /** Ends the run. The reason tells why steps were skipped. */
  readonly complete: (why?: RunReason) => Promise<JobOutcome>;
  /** Ends the run as a dead letter. */
  readonly fail: (failure: FailureReason, options?: FailOptions) => Promise<JobOutcome>;
}

interface FailOptions {
  /** Whether people get an alert. False when a person made the run fail, or nothing was at stake. */
  readonly alert: boolean;
}

/** Opens the session of a run. */
export function openRunSession(job: JobHandle<RunJob>, options: RunSessionOptions): RunSession {
  const { event } = job.data;
  let { data } = job;
  const { id } = data.rule;
  const currentRule = options.rules().find(({ source }) => source.id === id)?.source;
  const logger = options.logger.child({ event: event.id, account: event.account, rule: id });
  const record: RunSession['record'] = (status, why) =>
    options.journal.recordRun(event.id, { ...traceOf(data, status), ...why });
  const end = (status: RunTrace['status'], why?: RunReason): Promise<string> =>
    endSession(data, job.id, status, why, options, job);
  const save = (): Promise<void> => job.save(data);
  return {
    job,
    currentRule,
    logger,
    data: () => data,
    update: (changes) => (data = { ...data, ...changes }),
    save,
    traceOf: (status) => traceOf(data, status),
    saveRunning: (expected) => saveRun(job, data, traceOf(data, 'running'), options, expected),
    record,
    clearWait: () => {
      const { ruleMissingSince: _since, waitReason: _reason, waitRecordedAt: _at, ...rest } = data;
      data = rest;
    },
    wait: async (at, why, changes = {}) => {
      const isNew = data.waitReason !== why.reason;
      // Recorded once a day, so that the trace outlives a long wait.
      if (isNew || Date.now() - Date.parse(data.waitRecordedAt ?? '') > DAY_S * 1000) {
        data = { ...data, ...changes, waitReason: why.reason, waitRecordedAt: new Date().toISOString() };
        await save();
        await options.journal.ensureTrace(event);
        await record('waiting', why);
        if (isNew) logger.info({ ...why }, 'run waits');
      }
      return { kind: 'retry', at, countsAttempt: false, ...why };
    },
    skip: async (why) => {
      data = { ...data, steps: data.steps.map((step) => skippedStep(step, why)) };
      await end('completed', why);
      logger.info({ ...why }, 'run skipped');
      return { kind: 'completed' };
    },
    complete: async (why) => {
      await end('completed', why);
      return { kind: 'completed' };
    },
    fail: async ({ reason, code }, { alert } = { alert: true }) => {
      logger.error({ code, reason, attempts: job.attempt }, 'run failed: it is a dead letter');
      const finishedAt = await end('failed', { reason, code });
      if (alert) await options.alerts.dispatchServiceAlert(failureAlert(data, reason, finishedAt));
      return { kind: 'failed', reason, code };
    },
  };
}

/** Identifies a run for its run limit. A replayed run counts again. */
export function admissionId(jobId: string, { replays = 0 }: Pick<RunJob, 'replays'>): string {
  return `${jobId}:${replays}`;
}

/** The trace of a run. */
function traceOf({ rule, plannedAt, steps, edge, approvals }: RunJob, status: RunTrace['status']): RunTrace {
  return {
    rule: rule.id,
    status,
    plannedAt,
    steps: tracedSteps(steps),
    ...(edge?.kind === 'clear' && { clears: true }),
    ...(approvals && { approvals }),
  };
}

/**
 * Saves and records the end of a run and releases what it holds: its slot, and its place among the waiting runs of a held rule.
 *
 * @param job - Undefined for a run that no worker has any more.
 */
async function endSession(
  data: RunJob,
  jobId: string,
  status: RunTrace['status'],
  why: RunReason | undefined,
  options: RunSessionOptions,
  job?: JobHandle<RunJob>,
): Promise<string> {
  const finishedAt = new Date().toISOString();
  const trace = { ...traceOf(data, status), finishedAt, ...why };
  await withdrawApprovals(data, options.approvals);
  // Before the slot is free: the next run of the group may read the outputs.
  await keepOutputs(data, options.raised);
  const ids = { run: jobId, waiting: admissionId(jobId, data) };
  const next = await endRun(job, data, trace, ids, options);
  if (next !== undefined) await wakeJob(options.runs, next);
  return finishedAt;
}

/** Nobody needs to answer what a run asked that has ended. */
async function withdrawApprovals({ approvals = [] }: RunJob, store: Approvals): Promise<void> {
  for (const { id, answer } of approvals) {
    if (answer === undefined) await store.decide(id, { answer: 'withdrawn', at: new Date().toISOString() });
  }
}

/** Ends a run that failed without its handler. */
export async function failAbandonedRun(
  data: RunJob,
  { reason, code }: FailureReason,
  options: RunSessionOptions,
): Promise<void> {
  const jobId = runId(data.event.id, data.rule.id);
  const finishedAt = await endSession(data, jobId, 'failed', { reason, code }, options);
  await options.alerts.dispatchServiceAlert(failureAlert(data, reason, finishedAt));
}

function failureAlert({ event, rule }: RunJob, reason: string, at: string): ServiceAlert {
  return {
    id: `dead:${runId(event.id, rule.id)}`,
    // A run that fails again after a replay is another alert.
    since: at,
    kind: 'failed',
    account: event.account,
    rule: rule.id,
    event: { id: event.id, type: event.type },
    title: `A run of ${rule.id} failed`,
    text: reason,
    severity: 'warning',
  };
}
