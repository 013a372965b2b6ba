import type { JobOutcome } from '../queues/job-outcome.js';
import type { StepRecord } from '../queues/jobs.js';
import type { Step } from '../rules/model/rule.js';
import { withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValues } from '../enrichment/rule-values.js';
import { isStepFailure } from './attempt-record.js';
import { attemptStep, stepValues } from './attempt-step.js';
import { attemptForEach } from './for-each.js';
import type { ExpectedEvent } from './loop-protection.js';
import type { RunContext } from './run-context.js';
import type { RunReason } from './run-session.js';
import { isSettling } from './settling.js';
import { isFinished, pendingStep, skippedStep } from './step-records.js';
import { certainValues } from './uncertain-device.js';
import type { ApprovalResult } from './wait-for-approval.js';

/**
 * Performs the steps of a run in order and skips the finished ones. Saves the record of each step before the next one starts, so that a
 * retry or a restart continues behind the last finished step.
 *
 * @throws Errors that are no failure of a step: a lost job, an unreachable Redis, a defect.
 */
export async function runSteps(options: RunContext): Promise<JobOutcome> {
  let { steps } = options;
  let rejected: RunReason | undefined;
  const last = options.rule.steps.length - 1;
  const saveAt = async (index: number, record: StepRecord, expected?: ExpectedEvent): Promise<void> => {
    const onError = options.rule.steps[index]?.source.onError ?? 'stop';
    const endsRun = index === last && isFinished(record, onError);
    // Continue with the saved records, so that a resumed run sees the same ones.
    steps = await options.saveSteps(steps.with(index, record), { expected, endsRun });
  };
  for (const [index, step] of options.rule.steps.entries()) {
    const before = steps[index] ?? pendingStep(step.source);
    if (isFinished(before, step.source.onError)) continue;
    if (rejected !== undefined) {
      await saveAt(index, skippedStep(before, rejected));
      continue;
    }
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await saveAt(index, { ...before, status: 'skipped', reason: superseded, code: 'run/superseded' });
      continue;
    }
    const approval = await approvalOf(step, index, steps, options);
    if (approval.kind === 'waiting')
      return {
        ...approval.retry,
        reason: `step ${index + 1} (${step.source.action}): ${approval.retry.reason}`,
      };
    if (approval.kind === 'rejected') {
      await saveAt(index, skippedStep(before, approval.why));
      rejected = approval.why;
      continue;
    }
    const outcome =
      step.forEach === undefined
        ? await attemptStep(before, options, {
            step,
            name: String(index),
            extraValues: {},
            lacksApproval: approval.kind === 'not_asked',
            steps: () => steps,
            save: (record, expected) => saveAt(index, record, expected),
          })
        : await attemptForEach(before, options, { index, step, steps: () => steps, saveAt });
    const isSuspended = outcome.kind === 'retry' || outcome.kind === 'requeue';
    // Later steps need fresh facts after a wait.
    if (steps[index]?.hasWaited === true && !isSuspended) options.facts.clear();
    if (outcome.kind === 'finished') continue;
    const reason = `step ${index + 1} (${step.source.action}): ${outcome.reason}`;
    if (isSuspended) return { ...outcome, reason };
    if (step.source.onError === 'stop') return { ...outcome, reason };
  }
  return { kind: 'completed' };
}

/**
 * Asks for the approval of a step. A step whose condition is not true asks nobody: it is skipped. If its condition is true after all when it
 * is performed, the attempt sees that nobody was asked.
 */
async function approvalOf(
  step: Step,
  index: number,
  steps: readonly StepRecord[],
  options: RunContext,
): Promise<ApprovalResult | { readonly kind: 'not_asked' }> {
  const { stepApprovals } = options;
  if (options.dryRun || stepApprovals?.isNeeded(step.source, index) !== true) return { kind: 'approved' };
  // The items of a list have one approval together.
  if (step.forEach === undefined && !(await mayBeDue(step, steps, options))) return { kind: 'not_asked' };
  return stepApprovals.ask(step.source, index);
}

async function mayBeDue(step: Step, steps: readonly StepRecord[], options: RunContext): Promise<boolean> {
  if (step.condition === undefined) return true;
  try {
    const values = certainValues(await stepValues(step, steps, {}, options), options.event);
    const [settling, now] = [options.inventory?.settling, options.now()];
    // What the device has not reported yet is unknown: the attempt waits for it, and people are asked when it is there.
    const known = withoutPendingLists(
      values,
      isSettling(options.event, values['device'] ?? null, settling, now),
    );
    return step.condition.evaluate(conditionValues(known), now).result === 'true';
  } catch (error) {
    // The attempt meets the same error and records it.
    if (isStepFailure(error)) return false;
    throw error;
  }
}
