import { beginRun } from '../coordination/process-run.js';
import type { RunStart, RunStore } from '../coordination/process-run.js';
import type { SlotContext } from '../coordination/acquire-slot.js';
import type { OnceClaims } from '../coordination/once-claims.js';
import type { FactTrace } from '../journal/trace.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { wakeJob } from '../queues/queues.js';
import type { Rule } from '../rules/model/rule.js';
import { claimOnce, skipIfDone } from './once-per.js';
import type { RunSession } from './run-session.js';
import { admissionRequestOf, outcomeOfRefusal, waitForAdmission } from './wait-for-admission.js';
import type { AdmissionContext } from './wait-for-admission.js';
import { waitForRunApproval } from './wait-for-approval.js';
import type { ApprovalContext } from './wait-for-approval.js';
import { slotRequestOf, waitForGroupSlot } from './wait-for-group-slot.js';

/** What the start of a run needs. */
export interface StartContext extends RunStore, AdmissionContext, ApprovalContext, SlotContext {
  readonly once: OnceClaims;
}

/** A run that has started, or the outcome of one that waits, is skipped or fails. */
export type StartedRun =
  | { readonly kind: 'started'; readonly facts: ReadonlyMap<string, FactTrace> }
  | { readonly kind: 'not_started'; readonly outcome: JobOutcome };

const notStarted = (outcome: JobOutcome): StartedRun => ({ kind: 'not_started', outcome });

/**
 * Starts a run, or lets it wait: for the slot of its group, and unless it is a dry run for `once_per`, its run limits and an approval. A run
 * that does not start in the end claims nothing.
 */
export async function startRun(
  rule: Rule,
  dryRun: boolean,
  run: RunSession,
  context: StartContext,
): Promise<StartedRun> {
  const asksMore = !dryRun && (run.data().onceKeys !== undefined || rule.source.approve !== undefined);
  if (asksMore) {
    const stop = (await waitForGroupSlot(rule, run, context)) ?? (await waitForLiveStart(rule, run, context));
    if (stop !== undefined) return notStarted(stop);
  }
  for (;;) {
    const start = await begin(rule, dryRun, run, context);
    switch (start.kind) {
      case 'no_slot': {
        const stop = await waitForGroupSlot(rule, run, context);
        if (stop !== undefined) return notStarted(stop);
        // Runs in front whose jobs are gone were removed: the run has the slot now.
        break;
      }
      case 'refused':
        return notStarted(await outcomeOfRefusal(start.admission, run, context));
      case 'begun':
        // So that it ends.
        if (start.superseded !== undefined) await wakeJob(context.runs, start.superseded);
        return { kind: 'started', facts: start.facts };
    }
  }
}

async function waitForLiveStart(
  rule: Rule,
  run: RunSession,
  context: StartContext,
): Promise<JobOutcome | undefined> {
  return (
    (await skipIfDone(run, context.once)) ??
    (await waitForAdmission(rule, run, context)) ??
    (await waitForRunApproval(rule.source, run, context)) ??
    (await claimOnce(run, context.once))
  );
}

async function begin(rule: Rule, dryRun: boolean, run: RunSession, context: StartContext): Promise<RunStart> {
  const admission = dryRun ? undefined : admissionRequestOf(rule, run);
  const { ruleMissingSince: _since, waitReason: _reason, waitRecordedAt: _at, ...rest } = run.data();
  const data = admission === undefined ? rest : { ...rest, admitted: true };
  const slot = slotRequestOf(rule, run);
  const start = await beginRun(run.job, { slot, admission, data, trace: run.traceOf('running') }, context);
  if (start.kind === 'begun') {
    run.clearWait();
    if (admission !== undefined) run.update({ admitted: true });
  }
  return start;
}
