import type { Queue } from 'bullmq';
import { skippedStep } from '../src/actions/planned-run.js';
import type { Ceilings } from '../src/journal/ceilings.js';
import type { Journal } from '../src/journal/journal.js';
import { leaveLine } from '../src/journal/take-turn.js';
import type { RunTrace } from '../src/journal/trace.js';
import type { Turns } from '../src/journal/turns.js';
import type { RunJob } from '../src/queues/jobs.js';
import { DAY_S, runId } from '../src/queues/queues.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/rule.js';
import type { RuleSource } from '../src/rules/rule-schema.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Announcement, Teller } from './tell.js';

/** What a run is kept and told of with. */
export interface RunUnderWayOptions {
  readonly rules: () => readonly Rule[];
  readonly journal: Journal;
  readonly turns: Turns;
  readonly runs: Queue<RunJob>;
  readonly teller: Teller;
  readonly ceilings: Ceilings;
  readonly logger: Logger;
}

/** A run that is being worked on. */
export interface RunUnderWay {
  readonly job: JobHandle<RunJob>;
  /** The rule of its name as it is now. */
  readonly inForce: RuleSource | undefined;
  readonly logger: Logger;
  readonly data: () => RunJob;
  /** Changes what is known, to be kept with the next {@link save}. */
  readonly take: (changed: Partial<RunJob>) => void;
  readonly save: () => Promise<void>;
  readonly publish: (
    status: RunTrace['status'],
    about?: Pick<RunTrace, 'reason' | 'finishedAt'>,
  ) => Promise<void>;
  /** It waits before its first step; what for is told once. */
  readonly wait: (at: number, reason: string, since?: Pick<RunJob, 'goneSince'>) => Promise<Outcome>;
  /** What it waited for has come. */
  readonly goesOn: () => void;
  /** The steps that are left are not to be done. */
  readonly skip: (reason: string) => Promise<Outcome>;
  /** It came to its end; `reason` when another took its place in the middle. */
  readonly done: (reason?: string) => Promise<Outcome>;
  /** It cannot go on: a dead letter. `byHand`: somebody wanted it so, and need not be told. */
  readonly dead: (reason: string, byHand?: boolean) => Promise<Outcome>;
}

/** Begins to work on a run. */
export function runUnderWay(job: JobHandle<RunJob>, options: RunUnderWayOptions): RunUnderWay {
  const { event, plannedAt } = job.data;
  let { data } = job;
  const { id } = data.rule;
  const inForce = options.rules().find(({ source }) => source.id === id)?.source;
  const logger = options.logger.child({ event: event.id, account: event.account, rule: id });
  const publish: RunUnderWay['publish'] = (status, about = {}) =>
    options.journal.recordRun(event.id, { rule: id, status, plannedAt, steps: data.steps, ...about });
  const end = (status: RunTrace['status'], reason?: string): Promise<string> =>
    endRun(data, job.id, status, reason, options);
  const save = (): Promise<void> => job.save(data);
  return {
    job,
    inForce,
    logger,
    data: () => data,
    take: (changed) => (data = { ...data, ...changed }),
    save,
    publish,
    goesOn: () => {
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
        await options.journal.recordTaken(event);
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
    done: async (reason) => {
      await end('completed', reason);
      return { kind: 'done' };
    },
    dead: async (reason, byHand = false) => {
      logger.error({ reason, attempts: job.attempt }, 'a run failed: it is a dead letter');
      const finishedAt = await end('failed', reason);
      if (!byHand) await options.teller.announce(failureOf(data, reason, finishedAt));
      return { kind: 'dead', reason };
    },
  };
}

/** What a run is called where it is counted: one that is replayed begins once more. */
export function nameOf(job: string, { replays = 0 }: Pick<RunJob, 'replays'>): string {
  return `${job}:${replays}`;
}

/** Writes down that a run is over, and lets go of what it had: its turn, its place among those that wait. */
async function endRun(
  data: RunJob,
  job: string,
  status: RunTrace['status'],
  reason: string | undefined,
  options: RunUnderWayOptions,
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
  if (concurrencyKey !== undefined) await leaveLine(concurrencyKey, job, options);
  await options.ceilings.forget(event.account, rule.id, nameOf(job, data));
  return finishedAt;
}

/** Ends a run that was given up without its handler's doing. */
export async function giveUpRun(data: RunJob, reason: string, options: RunUnderWayOptions): Promise<void> {
  const finishedAt = await endRun(data, runId(data.event.id, data.rule.id), 'failed', reason, options);
  await options.teller.announce(failureOf(data, reason, finishedAt));
}

/** What people are told of a run that failed. */
function failureOf({ event, rule }: RunJob, reason: string, at: string): Announcement {
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
