import type { Queue } from 'bullmq';
import { enqueueEvents } from '../src/coordination/enqueue-events.js';
import type { RaisedDevices } from '../src/coordination/raised-devices.js';
import type { Event } from '../src/events/envelope.js';
import type { Journal } from '../src/journal/journal.js';
import type { FactTrace } from '../src/journal/trace.js';
import { outcomeOfApiError, retryOrFail } from '../src/queues/outcome-of-error.js';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { EventJob, SweepJob } from '../src/queues/jobs.js';
import type { Shard } from '../src/queues/shards.js';
import { LookupUnavailableError } from '../src/lookups/http-lookup.js';
import type { Lookups } from '../src/lookups/lookups.js';
import type { Rule } from '../src/rules/model/rule.js';
import { recordSweep } from '../src/schedules/last-sweeps.js';
import { scheduledRule } from '../src/schedules/schedule-queue.js';
import { edgeModeOf } from '../src/runs/decide-edges.js';
import { sweepFleet } from '../src/schedules/sweep-fleet.js';
import type { SweepEdges } from '../src/schedules/sweep-fleet.js';
import { waitForScheduledRule } from '../src/schedules/wait-for-scheduled-rule.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';

/** The parts of the sweep worker. */
export interface SweepWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly shard: Shard;
  /** Where the last sweeps are recorded. */
  readonly home: Shard;
  readonly events: Queue<EventJob>;
  readonly journal: Journal;
  readonly raised: RaisedDevices;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
  readonly lookups?: Lookups;
  readonly logger: Logger;
}

/** Handles the queue "sweeps": emits the events of one tick of a rule in one account. */
export function createSweepHandler(
  options: SweepWorkerOptions,
): (job: JobHandle<SweepJob>) => Promise<JobOutcome> {
  const { shard, home, events, journal } = options;
  const emit = async (event: Event, device: FactTrace | undefined): Promise<void> => {
    if (device !== undefined) await journal.recordFact(event.id, 'device', device);
    await enqueueEvents([event], { shard, events, journal }, 'bulk');
  };
  return async (job) => {
    const { ruleMissingSince, ...data } = job.data;
    const { rule: id, account, tick, progress } = data;
    const logger = options.logger.child({ rule: id, account, tick: tick.id });
    const rule = scheduledRule(options.rules(), id);
    const access = options.accounts.get(account);
    if (rule === undefined || access === undefined) return waitForScheduledRule(job, logger);
    if (!rule.source.enabled || rule.source.accounts?.includes(account) === false) {
      logger.info('sweep dropped: the rule is disabled or does not apply to the account');
      return { kind: 'completed' };
    }
    // The rule is back, so a later grace period starts anew.
    if (ruleMissingSince !== undefined) await job.save(data);
    try {
      const { evaluated, emitted, incomplete } = await sweepFleet({
        ...access,
        ...(options.lookups && { lookups: options.lookups }),
        rule,
        account,
        tick,
        progress,
        save: (changed) => job.save({ ...data, progress: changed }),
        edges: edgesOf(rule, account, options),
        emit,
      });
      const finishedAt = new Date().toISOString();
      await recordSweep(home, id, account, {
        scheduledAt: tick.at,
        finishedAt,
        evaluated,
        emitted,
        ...(incomplete !== undefined && { incomplete }),
      });
      if (incomplete === undefined) logger.info({ evaluated, emitted }, 'sweep completed');
      else
        logger.error(
          { code: 'schedule/sweep-incomplete', reason: incomplete, evaluated, emitted },
          'sweep ended early: the list of devices does not come to an end',
        );
      return { kind: 'completed' };
    } catch (error) {
      if (!(error instanceof SimpleMdmError || error instanceof LookupUnavailableError)) throw error;
      return outcomeOfFailure(error, job, logger);
    }
  };
}

/** The raised devices of a rule with `when`. */
function edgesOf(
  { source }: Rule,
  account: string,
  { raised, readOnly, logger }: SweepWorkerOptions,
): SweepEdges | undefined {
  if (source.when === undefined) return undefined;
  const scope = { account, rule: source.id, mode: edgeModeOf(source, readOnly) };
  return {
    start: () => raised.startSweep(scope),
    raisedAmong: (devices) => raised.raisedAmong(scope, devices),
    markSeen: (devices) => raised.markSeen(scope, devices),
    keepAll: () => raised.keepUnseen(scope),
    finish: async () => {
      const dropped = await raised.dropUnseen(scope);
      if (dropped > 0)
        logger.info(
          { rule: source.id, account, dropped },
          'raised devices that left the account are dropped',
        );
    },
  };
}

function outcomeOfFailure(
  error: SimpleMdmError | LookupUnavailableError,
  job: JobHandle<SweepJob>,
  logger: Logger,
): JobOutcome {
  const outcome =
    error instanceof SimpleMdmError
      ? outcomeOfApiError(error, job)
      : retryOrFail({ reason: error.message, code: error.code, notBefore: error.notBefore }, job);
  const { code, message: reason } = error;
  if (outcome.kind === 'failed') logger.error({ code: 'schedule/sweep-failed', reason }, 'sweep failed');
  if (outcome.kind === 'retry') logger.warn({ code, reason }, 'sweep retries later');
  return outcome;
}
