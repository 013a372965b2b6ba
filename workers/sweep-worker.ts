import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { sweepFleet } from '../src/schedules/sweep-fleet.js';
import type { Event } from '../src/events/envelope.js';
import type { Journal } from '../src/journal/journal.js';
import { enqueueEvents } from '../src/coordination/enqueue-events.js';
import { recordSweep } from '../src/schedules/last-sweeps.js';
import type { FactTrace } from '../src/journal/trace.js';
import type { EventJob, SweepJob } from '../src/queues/jobs.js';
import type { JobHandle, JobOutcome } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/model/rule.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import { scheduledRule, waitForRule } from '../src/schedules/scheduled-rule.js';

/** What the sweep worker joins together. */
export interface SweepWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly connection: Redis;
  readonly events: Queue<EventJob>;
  readonly journal: Journal;
  readonly logger: Logger;
}

/** Handles one rule in one account whose time has come: raises its events. */
export function createSweepHandler(
  options: SweepWorkerOptions,
): (job: JobHandle<SweepJob>) => Promise<JobOutcome> {
  const { journal, events } = options;
  const emit = async (event: Event, device: FactTrace | undefined): Promise<void> => {
    if (device !== undefined) await journal.recordFact(event.id, 'device', device);
    await enqueueEvents([event], { redis: options.connection, queue: events, journal });
  };
  return async (job) => {
    const { rule: id, account, tick, progress } = job.data;
    const logger = options.logger.child({ rule: id, account, tick: tick.id });
    const rule = scheduledRule(options.rules(), id);
    const access = options.accounts.get(account);
    if (rule === undefined || access === undefined) return waitForRule(job, logger);
    if (!rule.source.enabled || rule.source.accounts?.includes(account) === false) {
      logger.info('the rule is not enabled for the account (any more): its schedule is not worked through');
      return { kind: 'done' };
    }
    // Another time that a worker does not have it is another wait.
    if (job.data.absentSince !== undefined) await job.save({ rule: id, account, tick, progress });
    try {
      const { looked, raised } = await sweepFleet({
        ...access,
        rule,
        account,
        tick,
        progress,
        save: (changed) => job.save({ rule: id, account, tick, progress: changed }),
        emit,
      });
      const finishedAt = new Date().toISOString();
      await recordSweep(options.connection, id, account, {
        scheduledAt: tick.at,
        finishedAt,
        looked,
        raised,
      });
      logger.info({ looked, raised }, 'a schedule was worked through');
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof SimpleMdmError)) throw error;
      return settle(error, job, logger);
    }
  };
}

function settle(error: SimpleMdmError, job: JobHandle<SweepJob>, logger: Logger): JobOutcome {
  const reason = error.message;
  if (error.failure.kind === 'stopped') return { kind: 'handed_back' };
  const waits = error.isAccountUnavailable;
  if (!waits && (!error.isRetryable || job.isLastAttempt)) {
    logger.error({ reason }, 'a schedule could not be worked through');
    return { kind: 'dead', reason };
  }
  logger.warn({ reason }, 'a schedule waits');
  return { kind: 'again', at: job.retryAt(error.failure.retryAt), waits, reason };
}
