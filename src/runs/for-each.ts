import { conditionValues } from '../enrichment/rule-values.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { Step } from '../rules/model/rule.js';
import { errorText } from '../telemetry/error-text.js';
import { StepError } from '../actions/action.js';
import { attemptStep, recordFailure, stepValues } from './attempt-step.js';
import type { StepOutcome } from './attempt-step.js';
import type { RunStepsOptions } from './run-context.js';
import { startAttempt, isFinished, isStepFailure, pendingStep } from './attempt-record.js';

/** A list that says nothing of a bound has this one. */
const DEFAULT_MAX_ITEMS = 100;

/** A step of a run that is done for each of a list. */
interface ForEachStep {
  readonly index: number;
  readonly step: Step;
  readonly steps: () => readonly StepRecord[];
  readonly keepAt: (index: number, record: StepRecord) => Promise<void>;
}

/** Performs a step for each item of its list, in order, each kept as a step of its own. */
export async function attemptForEach(
  before: StepRecord,
  options: RunStepsOptions,
  { index, step, steps, keepAt }: ForEachStep,
): Promise<StepOutcome> {
  const { onError } = step.source;
  const current = (): StepRecord => steps()[index] ?? before;
  const finish = async (about: Pick<StepRecord, 'status' | 'reason' | 'output'>): Promise<void> => {
    await keepAt(index, { ...current(), ...about, finishedAt: options.now().toISOString() });
    options.onStep(step.source.action, about.status);
  };
  if (before.items === undefined) {
    const attempt = startAttempt(before, options.now());
    const keep = (record: AttemptRecord): Promise<void> => keepAt(index, record);
    let items: readonly unknown[];
    try {
      items = await itemsOf(step, steps(), options);
    } catch (error) {
      if (!isStepFailure(error)) throw error;
      return recordFailure(error, attempt, options, { step, name: String(index), keep });
    }
    const { afresh } = before;
    const each = items.map(() => ({ ...pendingStep(step.source), ...(afresh !== undefined && { afresh }) }));
    const { finishedAt: _finished, ...kept } = before;
    await keepAt(index, {
      ...kept,
      status: 'running',
      startedAt: attempt.startedAt,
      items: [...items],
      each,
    });
  } else if (before.status === 'failed' || before.startedAt === undefined) {
    // A replay has all its time.
    await keepAt(index, { ...before, status: 'running', startedAt: options.now().toISOString() });
  }
  const { startedAt } = current();
  for (const [position, item] of (current().items ?? []).entries()) {
    const record = current().each?.[position] ?? pendingStep(step.source);
    if (isFinished(record, onError)) continue;
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await finish({ status: 'skipped', reason: superseded });
      return { kind: 'over' };
    }
    const outcome = await attemptStep(record, options, {
      step,
      name: `${index}.${position}`,
      extraValues: { item },
      ...(startedAt !== undefined && { timeoutStart: startedAt }),
      steps,
      keep: (changed) =>
        keepAt(index, {
          ...current(),
          status: 'running',
          each: (current().each ?? []).with(position, abridged(changed)),
        }),
    });
    if (current().each?.[position]?.waited === true) options.facts.forget();
    if (outcome.kind === 'over' || (outcome.kind === 'failed' && onError === 'continue')) continue;
    const reason = `item ${position + 1}: ${outcome.reason}`;
    if (outcome.kind === 'failed') await finish({ status: 'failed', reason });
    return { ...outcome, reason };
  }
  const each = current().each ?? [];
  const failed = each.filter(({ status }) => status === 'failed').length;
  const items = each.map(({ status, reason, output }) => ({ status, reason: reason ?? null, ...output }));
  await finish({
    status: failed > 0 ? 'failed' : 'completed',
    ...(failed > 0 && { reason: `${failed} of ${each.length} failed` }),
    output: { count: each.length, items },
  });
  return { kind: 'over' };
}

/**
 * The items of a step's list.
 *
 * @throws StepError when there is no list or it is too long; what fetching a fact throws.
 */
async function itemsOf(
  step: Step,
  steps: readonly StepRecord[],
  options: RunStepsOptions,
): Promise<readonly unknown[]> {
  const values = await stepValues(step, steps, {}, options);
  let list: readonly unknown[];
  try {
    list = step.forEach?.items(conditionValues(values), options.now()) ?? [];
  } catch (error) {
    throw new StepError('step/failed', errorText(error), { cause: error });
  }
  const bound = step.source.atMost ?? DEFAULT_MAX_ITEMS;
  if (list.length <= bound) return list;
  throw new StepError(
    'step/failed',
    `for_each gives ${list.length} items, and at most ${bound} are meant: nothing was done (at_most sets the bound)`,
  );
}

const MAX_TEXT_LENGTH = 500;
const MAX_JSON_LENGTH = 2000;
const MAX_CALLS_KEPT = 2;

/** What is kept of one item of many: the whole job is written for each of them. */
function abridged({ output, calls, ...record }: AttemptRecord): AttemptRecord {
  const short =
    output && Object.fromEntries(Object.entries(output).map(([name, value]) => [name, shortened(value)]));
  return { ...record, ...(short && { output: short }), calls: calls.slice(-MAX_CALLS_KEPT) };
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length <= MAX_TEXT_LENGTH ? value : `${value.slice(0, MAX_TEXT_LENGTH)}…`;
  if (typeof value !== 'object' || value === null) return value;
  return JSON.stringify(value).length <= MAX_JSON_LENGTH ? value : null;
}
