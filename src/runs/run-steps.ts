import type { JobOutcome } from '../queues/job-outcome.js';
import type { StepRecord } from '../queues/jobs.js';
import { attemptStep } from './attempt-step.js';
import { attemptForEach } from './for-each.js';
import type { RunContext } from './run-context.js';
import { isFinished, pendingStep } from './step-records.js';

/**
 * Performs the steps of a run in order and skips the finished ones. Saves the record of each step before the next one starts, so that a
 * retry or a restart continues behind the last finished step.
 *
 * @throws Errors that are no failure of a step: a lost job, an unreachable Redis, a defect.
 */
export async function runSteps(options: RunContext): Promise<JobOutcome> {
  let { steps } = options;
  const saveAt = async (index: number, record: StepRecord): Promise<void> => {
    // Continue with the saved records, so that a resumed run sees the same ones.
    steps = await options.saveSteps(steps.with(index, record));
  };
  for (const [index, step] of options.rule.steps.entries()) {
    const before = steps[index] ?? pendingStep(step.source);
    if (isFinished(before, step.source.onError)) continue;
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await saveAt(index, { ...before, status: 'skipped', reason: superseded, code: 'run/superseded' });
      continue;
    }
    const outcome =
      step.forEach === undefined
        ? await attemptStep(before, options, {
            step,
            name: String(index),
            extraValues: {},
            steps: () => steps,
            save: (record) => saveAt(index, record),
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
