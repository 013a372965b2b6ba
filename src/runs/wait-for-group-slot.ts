import { acquireSlot } from '../coordination/acquire-slot.js';
import type { SlotContext } from '../coordination/acquire-slot.js';
import { openBacklog } from '../coordination/backlog.js';
import type { SlotRequest } from '../coordination/concurrency-groups.js';
import { raiseEarlierJobs } from '../coordination/raise-earlier-jobs.js';
import type { RunLimits } from '../coordination/run-limits.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { laneOf } from '../queues/jobs.js';
import { RUNS } from '../queues/queues.js';
import type { Shard } from '../queues/shards.js';
import { recheckInterval } from '../queues/recheck-interval.js';
import type { Rule } from '../rules/model/rule.js';
import { admissionId } from './run-session.js';
import type { RunReason, RunSession } from './run-session.js';

/** The run that releases the slot wakes the next one; the recheck is for a wake-up that is lost. */
const RECHECK_MS = 200;
const MAX_RECHECK_MS = 15_000;

/** Asks for the slot of the run's concurrency group; undefined when the run has no group. */
export function slotRequestOf(rule: Rule, run: RunSession): SlotRequest | undefined {
  const { group, event } = run.data();
  const mode = rule.source.concurrency?.mode ?? 'queued';
  return group === undefined ? undefined : { group, run: run.job.id, at: Date.parse(event.at), mode };
}

/**
 * Acquires the slot of the run's concurrency group.
 *
 * @returns The outcome of a run that has to wait or is skipped; undefined when the run has the slot or no group.
 */
export async function waitForGroupSlot(
  rule: Rule,
  run: RunSession,
  context: SlotContext & { readonly limits: RunLimits; readonly shard: Shard },
): Promise<JobOutcome | undefined> {
  const request = slotRequestOf(rule, run);
  if (request === undefined) return undefined;
  const { event, plannedAt } = run.data();
  const { mode } = request;
  const result = await acquireSlot(request, context);
  switch (result.kind) {
    case 'acquired':
      return undefined;
    case 'skipped':
      return run.skip(mode === 'restart' ? supersededReason(rule) : slotTakenReason(rule, result.because));
    case 'waiting': {
      // The next run checks often, because it may miss its wake-up when it is active at that moment.
      const position = Math.max(result.position, 1);
      const pauseMs = recheckInterval(Date.parse(plannedAt), {
        share: position / 10,
        minMs: RECHECK_MS * position,
        maxMs: MAX_RECHECK_MS,
      });
      if (laneOf(run.data()) === 'interactive') {
        const { key } = context.groups.members(request.group);
        await raiseEarlierJobs(context.shard, openBacklog(context.shard, RUNS), key, run.job.id);
      }
      // While the rule is held, the earlier run waits for a person, and this one with it.
      await context.limits.addBehind(event.account, rule.source.id, admissionId(run.job.id, run.data()));
      const reason = `waits for earlier runs of the rule for the same ${keyName(rule)}`;
      return run.wait(Date.now() + pauseMs, { reason });
    }
  }
}

/** Why a run ends whose slot a later run has taken over. */
export function supersededReason(rule: Rule): Required<RunReason> {
  return {
    reason: `superseded by a later run of the rule for the same ${keyName(rule)}`,
    code: 'run/superseded',
  };
}

function slotTakenReason(rule: Rule, otherRun: string): RunReason {
  return {
    reason: `another run of the rule for the same ${keyName(rule)} is in progress (event ${otherRun.slice(0, 12)})`,
    code: 'run/slot-taken',
  };
}

function keyName(rule: Rule): string {
  return rule.source.concurrency?.key === undefined ? 'device' : 'key';
}
