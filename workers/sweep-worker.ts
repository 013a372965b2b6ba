import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { sweep } from '../src/enrichment/sweep-fleet.js';
import type { Event } from '../src/events/envelope.js';
import type { Journal } from '../src/journal/journal.js';
import { takeIn } from '../src/journal/take-in.js';
import { recordSweepDone } from '../src/journal/sweeps-done.js';
import type { FactTrace } from '../src/journal/trace.js';
import type { EventJob, SweepJob } from '../src/queues/jobs.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import type { Rule } from '../src/rules/rule.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { AccountAccess } from './accounts.js';
import { scheduledRule, waitForRule } from './scheduled-rule.js';

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
): (job: JobHandle<SweepJob>) => Promise<Outcome> {
  const { journal, events } = options;
  const raise = async (event: Event, device: FactTrace | undefined): Promise<void> => {
    if (device !== undefined) await journal.recordFact(event.id, 'device', device);
    await takeIn([event], { redis: options.connection, queue: events, journal });
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
      const { looked, raised } = await sweep({
        ...access,
        rule,
        account,
        tick,
        progress,
        save: (changed) => job.save({ rule: id, account, tick, progress: changed }),
        raise,
      });
      const finishedAt = new Date().toISOString();
      await recordSweepDone(options.connection, id, account, {
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

function settle(error: SimpleMdmError, job: JobHandle<SweepJob>, logger: Logger): Outcome {
  const reason = error.message;
  if (error.failure.kind === 'stopped') return { kind: 'handed_back' };
  const waits = error.accountUnavailable;
  if (!waits && (!error.mayPassLater || job.isLastAttempt)) {
    logger.error({ reason }, 'a schedule could not be worked through');
    return { kind: 'dead', reason };
  }
  logger.warn({ reason }, 'a schedule waits');
  return { kind: 'again', at: job.retryAt(error.failure.retryAt), waits, reason };
}
