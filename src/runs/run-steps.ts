import type { StepRecord } from '../queues/jobs.js';
import { attemptStep } from './attempt-step.js';
import { attemptForEach } from './for-each.js';
import type { RunDelay, RunStepsOptions } from './run-context.js';
import { isFinished, pendingStep } from './attempt-record.js';

/** What a run came to. */
export type RunResult =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A step is to be tried again, or waits. */
  | { readonly kind: 'interrupted'; readonly pause: RunDelay; readonly reason: string };

/**
 * Performs the steps of a run in order, those that are over left alone. What each came to is kept before the next begins, so
 * that a retry or a restart resumes behind the last one that is done.
 *
 * @throws What is no failure of a step: a lost job, a Redis that is away, a defect.
 */
export async function runSteps(options: RunStepsOptions): Promise<RunResult> {
  let { steps } = options;
  const keepAt = async (index: number, record: StepRecord): Promise<void> => {
    // What was kept is what goes on, so that a run is the same whether it is resumed or not.
    steps = await options.saveSteps(steps.with(index, record));
  };
  for (const [index, step] of options.rule.steps.entries()) {
    const before = steps[index] ?? pendingStep(step.source);
    if (isFinished(before, step.source.onError)) continue;
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await keepAt(index, { ...before, status: 'skipped', reason: superseded });
      continue;
    }
    const outcome =
      step.forEach === undefined
        ? await attemptStep(before, options, {
            step,
            name: String(index),
            extraValues: {},
            steps: () => steps,
            keep: (record) => keepAt(index, record),
          })
        : await attemptForEach(before, options, { index, step, steps: () => steps, keepAt });
    // Time has passed: what later steps name is looked up anew.
    if (steps[index]?.waited === true && outcome.kind !== 'interrupted') options.facts.forget();
    if (outcome.kind === 'over') continue;
    const reason = `step ${index + 1} (${step.source.action}): ${outcome.reason}`;
    if (outcome.kind === 'interrupted') return { kind: 'interrupted', pause: outcome.pause, reason };
    if (step.source.onError === 'stop') return { kind: 'failed', reason };
  }
  return { kind: 'completed' };
}
