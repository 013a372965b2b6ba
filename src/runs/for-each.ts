import { withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValues } from '../enrichment/rule-values.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { StepError } from '../actions/action.js';
import { attemptStep, awaitInventory, recordFailure, stepValues } from './attempt-step.js';
import type { StepOutcome } from './attempt-step.js';
import type { ExpectedEvent } from './loop-protection.js';
import type { RunContext } from './run-context.js';
import { isStepFailure, startAttempt } from './attempt-record.js';
import { shortened } from './shortened.js';
import { listsMayBeLateIn, refreshForLook, stepInventoryWait } from './step-inventory.js';
import { isFinished, pendingStep } from './step-records.js';
import { certainValues } from './uncertain-device.js';

/** The default of `at_most`. The schema of rules sets the maximum (src/rules/model/rule-schema.ts). */
const DEFAULT_MAX_ITEMS = 100;

/** A step with `for_each`. */
interface ForEachStep {
  readonly index: number;
  readonly step: Step;
  readonly steps: () => readonly StepRecord[];
  readonly saveAt: (index: number, record: StepRecord, expected?: ExpectedEvent) => Promise<void>;
}

/** Performs a step for each item of its list, in order. Each item has a record of its own. */
export async function attemptForEach(
  before: StepRecord,
  options: RunContext,
  { index, step, steps, saveAt }: ForEachStep,
): Promise<StepOutcome> {
  const { onError } = step.source;
  const current = (): StepRecord => steps()[index] ?? before;
  const finish = async (result: Pick<StepRecord, 'status' | 'reason' | 'code' | 'output'>): Promise<void> => {
    await saveAt(index, { ...current(), ...result, finishedAt: options.now().toISOString() });
    options.countStep(step.source.action, result.status);
  };
  if (before.items === undefined) {
    const attempt = startAttempt(before, options.now());
    const save = (record: AttemptRecord): Promise<void> => saveAt(index, record);
    let items: readonly unknown[];
    try {
      refreshForLook(before, options);
      const values = await stepValues(step, steps(), {}, options);
      const wait = stepInventoryWait({ step, values, before, part: 'list' }, options);
      if (wait !== undefined)
        return await awaitInventory(wait, attempt, options, { step, name: String(index), save });
      items = itemsOf(step, values, options);
    } catch (error) {
      if (!isStepFailure(error)) throw error;
      return recordFailure(error, attempt, options, { step, name: String(index), save });
    }
    const { restartedByReplay } = before;
    const itemRecords = items.map(() => ({
      ...pendingStep(step.source),
      ...(restartedByReplay !== undefined && { restartedByReplay }),
    }));
    const { finishedAt: _finished, reason: _reason, code: _code, nextAttemptAt: _next, ...kept } = before;
    await saveAt(index, {
      ...kept,
      status: 'running',
      startedAt: attempt.startedAt,
      ...options.secrets.hideItems(items),
      itemRecords,
    });
  } else if (before.status === 'failed' || before.startedAt === undefined) {
    // A replay restarts the timeout.
    await saveAt(index, { ...before, status: 'running', startedAt: options.now().toISOString() });
  }
  const { startedAt } = current();
  for (const [position, item] of options.secrets.revealItems(current()).entries()) {
    const record = current().itemRecords?.[position] ?? pendingStep(step.source);
    if (isFinished(record, onError)) continue;
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await finish({ status: 'skipped', reason: superseded, code: 'run/superseded' });
      return { kind: 'finished' };
    }
    const outcome = await attemptStep(record, options, {
      step,
      name: `${index}.${position}`,
      extraValues: { item },
      ...(startedAt !== undefined && { timeoutStart: startedAt }),
      steps,
      save: (changed, expected) =>
        saveAt(
          index,
          {
            ...current(),
            status: 'running',
            itemRecords: (current().itemRecords ?? []).with(position, abridged(changed)),
          },
          expected,
        ),
    });
    if (current().itemRecords?.[position]?.hasWaited === true) options.facts.clear();
    if (outcome.kind === 'finished' || (outcome.kind === 'failed' && onError === 'continue')) continue;
    const reason = `item ${position + 1}: ${outcome.reason}`;
    if (outcome.kind === 'failed') await finish({ status: 'failed', reason, code: outcome.code });
    return { ...outcome, reason };
  }
  const records = current().itemRecords ?? [];
  const failed = records.filter(({ status }) => status === 'failed');
  const items = records.map(({ status, reason, output }) => ({ status, reason: reason ?? null, ...output }));
  const output = { count: records.length, items };
  if (failed.length === 0) await finish({ status: 'completed', output });
  else {
    const reason = `${failed.length} of ${records.length} failed`;
    await finish({ status: 'failed', reason, code: failed[0]?.code ?? 'step/failed', output });
  }
  return { kind: 'finished' };
}

/**
 * The list of `for_each`.
 *
 * @throws StepError when the list cannot be evaluated or is too long.
 */
function itemsOf(step: Step, values: Values, options: RunContext): readonly unknown[] {
  let list: readonly unknown[];
  try {
    const known = withoutPendingLists(
      certainValues(values, options.event),
      listsMayBeLateIn(options, values),
    );
    const items = step.forEach?.items(conditionValues(known), options.now()) ?? [];
    // A record that could not be read is null: there is nothing to act on.
    list = items.filter((item) => item !== null);
  } catch (error) {
    throw new StepError('step/invalid-list', errorText(error), { cause: error });
  }
  const maxItems = step.source.atMost ?? DEFAULT_MAX_ITEMS;
  if (list.length <= maxItems) return list;
  throw new StepError(
    'step/too-many-items',
    `for_each has ${list.length} items, at_most allows ${maxItems}: nothing was done`,
  );
}

const MAX_TEXT_LENGTH = 500;
const MAX_JSON_LENGTH = 2000;
const MAX_CALLS_KEPT = 2;

/** Shortens the record of an item: the job is saved with all records after each item. */
function abridged({ output, calls, ...record }: AttemptRecord): AttemptRecord {
  const short =
    output &&
    Object.fromEntries(
      Object.entries(output).map(([name, value]) => [
        name,
        shortened(value, MAX_TEXT_LENGTH, MAX_JSON_LENGTH),
      ]),
    );
  return { ...record, ...(short && { output: short }), calls: calls.slice(-MAX_CALLS_KEPT) };
}
