import type { Queue } from 'bullmq';
import { skippedStep } from './planned-run.js';
import type { RunLimits } from '../coordination/run-limits.js';
import type { Journal } from '../journal/journal.js';
import { releaseSlot } from '../coordination/acquire-slot.js';
import type { RunTrace } from '../journal/trace.js';
import type { ConcurrencyGroups } from '../coordination/concurrency-groups.js';
import type { RunJob } from '../queues/jobs.js';
import { DAY_S, runId } from '../queues/queues.js';
import type { JobHandle, JobOutcome } from '../queues/worker.js';
import type { Rule } from '../rules/model/rule.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServiceAlert, AlertDispatcher } from '../alerts/alert-dispatcher.js';

/** What a run is kept and told of with. */
export interface RunSessionOptions {
  readonly rules: () => readonly Rule[];
  readonly journal: Journal;
  readonly groups: ConcurrencyGroups;
  readonly runs: Queue<RunJob>;
  readonly alerts: AlertDispatcher;
  readonly limits: RunLimits;
  readonly logger: Logger;
}

/** A run that is being worked on. */
export interface RunSession {
  readonly job: JobHandle<RunJob>;
  /** The rule of its name as it is now. */
  readonly currentRule: RuleSource | undefined;
  readonly logger: Logger;
  readonly data: () => RunJob;
  /** Changes what is known, to be kept with the next {@link save}. */
  readonly update: (changed: Partial<RunJob>) => void;
  readonly save: () => Promise<void>;
  readonly publish: (
    status: RunTrace['status'],
    about?: Pick<RunTrace, 'reason' | 'finishedAt'>,
  ) => Promise<void>;
  /** It waits before its first step; what for is told once. */
  readonly wait: (at: number, reason: string, since?: Pick<RunJob, 'goneSince'>) => Promise<JobOutcome>;
  /** What it waited for has come. */
  readonly clearWait: () => void;
  /** The steps that are left are not to be done. */
  readonly skip: (reason: string) => Promise<JobOutcome>;
  /** It came to its end; `reason` when another took its place in the middle. */
  readonly complete: (reason?: string) => Promise<JobOutcome>;
  /** It cannot go on: a dead letter. `byHand`: somebody wanted it so, and need not be told. */
  readonly fail: (reason: string, byHand?: boolean) => Promise<JobOutcome>;
}

/** Begins to work on a run. */
export function openRunSession(job: JobHandle<RunJob>, options: RunSessionOptions): RunSession {
  const { event, plannedAt } = job.data;
  let { data } = job;
  const { id } = data.rule;
  const currentRule = options.rules().find(({ source }) => source.id === id)?.source;
  const logger = options.logger.child({ event: event.id, account: event.account, rule: id });
  const publish: RunSession['publish'] = (status, about = {}) =>
    options.journal.recordRun(event.id, { rule: id, status, plannedAt, steps: data.steps, ...about });
  const end = (status: RunTrace['status'], reason?: string): Promise<string> =>
    endRun(data, job.id, status, reason, options);
  const save = (): Promise<void> => job.save(data);
  return {
    job,
    currentRule,
    logger,
    data: () => data,
    update: (changed) => (data = { ...data, ...changed }),
    save,
    publish,
    clearWait: () => {
      // Another time that it has to wait is another wait.
      const { goneSince: _since, waitsFor: _reason, waitsToldAt: _told, ...known } = data;
      data = known;
    },
    wait: async (at, reason, since = {}) => {
      const isNews = data.waitsFor !== reason;
      // Its trace must outlast it, however long a person takes.
      if (isNews || Date.now() - Date.parse(data.waitsToldAt ?? '') > DAY_S * 1000) {
        data = { ...data, ...since, waitsFor: reason, waitsToldAt: new Date().toISOString() };
        await save();
        await options.journal.ensureTrace(event);
        await publish('waiting', { reason });
        if (isNews) logger.info({ reason }, 'a run waits');
      }
      return { kind: 'again', at, waits: true, reason };
    },
    skip: async (reason) => {
      data = { ...data, steps: data.steps.map((step) => skippedStep(step, reason)) };
      await save();
      await end('completed', reason);
      logger.info({ reason }, 'a run is not done');
      return { kind: 'done' };
    },
    complete: async (reason) => {
      await end('completed', reason);
      return { kind: 'done' };
    },
    fail: async (reason, byHand = false) => {
      logger.error({ reason, attempts: job.attempt }, 'a run failed: it is a dead letter');
      const finishedAt = await end('failed', reason);
      if (!byHand) await options.alerts.dispatchServiceAlert(failureAlert(data, reason, finishedAt));
      return { kind: 'dead', reason };
    },
  };
}

/** What a run is called where it is counted: one that is replayed begins once more. */
export function admissionName(job: string, { replays = 0 }: Pick<RunJob, 'replays'>): string {
  return `${job}:${replays}`;
}

/** Writes down that a run is over, and lets go of what it had: its turn, its place among those that wait. */
async function endRun(
  data: RunJob,
  job: string,
  status: RunTrace['status'],
  reason: string | undefined,
  options: RunSessionOptions,
): Promise<string> {
  const { event, rule, steps, plannedAt, concurrencyKey } = data;
  const finishedAt = new Date().toISOString();
  await options.journal.recordRun(event.id, {
    rule: rule.id,
    status,
    plannedAt,
    steps,
    finishedAt,
    ...(reason !== undefined && { reason }),
  });
  if (concurrencyKey !== undefined) await releaseSlot(concurrencyKey, job, options);
  await options.limits.removeWaiting(event.account, rule.id, admissionName(job, data));
  return finishedAt;
}

/** Ends a run that was given up without its handler's doing. */
export async function failAbandonedRun(
  data: RunJob,
  reason: string,
  options: RunSessionOptions,
): Promise<void> {
  const finishedAt = await endRun(data, runId(data.event.id, data.rule.id), 'failed', reason, options);
  await options.alerts.dispatchServiceAlert(failureAlert(data, reason, finishedAt));
}

/** What people are told of a run that failed. */
function failureAlert({ event, rule }: RunJob, reason: string, at: string): ServiceAlert {
  return {
    id: `dead:${runId(event.id, rule.id)}`,
    // One that fails again after a replay is told again.
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
