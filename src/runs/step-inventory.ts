import { ACTIONS } from '../actions/registry.js';
import { DEVICE_FACTS } from '../enrichment/registry.js';
import { missingInventory, withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValues } from '../enrichment/rule-values.js';
import type { AttemptRecord, InventoryWait } from '../queues/jobs.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { inventoryReason, isLookDue, waitAfterLook } from './inventory-looks.js';
import type { RunContext } from './run-context.js';
import { isSettling, listsMayBeLate } from './settling.js';

/** A wait of a step for inventory that it names. */
export interface StepInventoryWait {
  readonly reason: string;
  readonly wait: InventoryWait;
}

/** The part of a step whose names count: its `for_each` when the step starts, the rest for each item. */
export type StepPart = 'list' | 'step';

/**
 * The wait of a step for inventory that its condition or its texts name, or that its action decides on: a script runs on macOS only. Undefined
 * when the step can go on. A condition that is decided anyway does not wait.
 */
export function stepInventoryWait(
  {
    step,
    values,
    before,
    part,
  }: {
    readonly step: Step;
    readonly values: Values;
    readonly before: AttemptRecord;
    readonly part: StepPart;
  },
  { inventory, event, now }: Pick<RunContext, 'inventory' | 'event' | 'now'>,
): StepInventoryWait | undefined {
  // A step that has begun its action goes on with it.
  if (inventory === undefined || before.output !== undefined || before.inDoubtSince !== undefined)
    return undefined;
  const { settling, pausesMs } = inventory;
  const at = now();
  if (!isSettling(event, values['device'] ?? null, settling, at)) return undefined;
  const known = conditionValues(withoutPendingLists(values, true));
  const missing =
    part === 'list'
      ? missingInventory(step.forEach?.paths ?? [], known, true)
      : missingInStep(step, known, at);
  if (missing.length === 0) return undefined;
  const bounds = { since: at.getTime(), until: settling.until };
  const wait = waitAfterLook(before.inventoryWait, bounds, at.getTime(), pausesMs);
  if (before.inventoryWait === undefined) inventory.onWait();
  return { reason: inventoryReason(missing, wait), wait };
}

function missingInStep({ source, condition, templates }: Step, known: Values, at: Date): string[] {
  if (condition !== undefined) {
    const verdict = condition.evaluate(known, at);
    if (verdict.result !== 'true')
      return verdict.result === 'false' && verdict.unknown === true
        ? missingInventory(condition.paths, known, true)
        : [];
  }
  const action = Object.hasOwn(ACTIONS, source.action) ? ACTIONS[source.action] : undefined;
  const paths = [
    ...[...templates.values()].flatMap((template) => template.paths),
    ...(action?.decidesOn ?? []).map((field) => ['device', field]),
  ];
  return missingInventory(paths, known, true);
}

/** Drops the facts of the device when a step that waits for inventory looks again. */
export function refreshForLook(
  { status, inventoryWait: wait }: AttemptRecord,
  { facts, now }: Pick<RunContext, 'facts' | 'now'>,
): void {
  if (status === 'waiting' && wait !== undefined && isLookDue(wait, now().getTime()))
    facts.clear(DEVICE_FACTS);
}

/** Whether an empty list of the device may be one that is still on its way. */
export function listsMayBeLateIn(
  { event, rule, inventory, now }: Pick<RunContext, 'event' | 'rule' | 'inventory' | 'now'>,
  values: Values,
): boolean {
  return listsMayBeLate(event, rule.source, values['device'] ?? null, inventory?.settling, now());
}
