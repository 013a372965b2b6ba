import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { RuleSource, StepSource } from '../rules/model/rule-schema.js';
import { isSame } from './effective-rule.js';

/** The record of a step that has not started. */
export function pendingStep({ action, id }: Pick<AttemptRecord, 'action' | 'id'>): AttemptRecord {
  return { action, ...(id !== undefined && { id }), status: 'pending', attempts: 0, calls: [] };
}

/** The records for a trace: without the encrypted secrets, which only later steps of the run use. */
export function tracedSteps(steps: readonly StepRecord[]): StepRecord[] {
  return steps.map(({ sealed: _sealed, itemRecords, ...step }) => ({
    ...step,
    ...(itemRecords && { itemRecords: itemRecords.map(({ sealed: _sealedItem, ...item }) => item) }),
  }));
}

/** Whether a step does not run again. */
export function isFinished({ status }: AttemptRecord, onError: 'stop' | 'continue'): boolean {
  return status === 'completed' || status === 'skipped' || (status === 'failed' && onError === 'continue');
}

/** Marks a step as skipped, unless it has ended. */
export function skippedStep(step: StepRecord, why: Pick<StepRecord, 'reason' | 'code'>): StepRecord {
  // A failed step keeps its failure, whatever its on_error.
  return isFinished(step, 'continue') ? step : { ...step, status: 'skipped', ...why };
}

/**
 * The records of the steps of a rule that may have changed, by position. A changed step restarts, but keeps what an earlier attempt may
 * have done.
 *
 * @param before - The rule that the records belong to.
 * @param replay - The number of the replay.
 */
export function stepRecordsFor(
  rule: RuleSource,
  before: RuleSource,
  records: readonly StepRecord[],
  replay = 0,
): StepRecord[] {
  return rule.do.map((source, index) => {
    const record = records[index];
    if (record?.action !== source.action) return pendingStep(source);
    if (record.status === 'completed' || record.status === 'skipped') return record;
    if (record.id === source.id && isSame(source, before.do[index])) return record;
    return restartedStep(source, record, before.do[index]?.forEach, replay);
  });
}

/** With an unchanged `for_each`, the items that are finished stay finished. */
function restartedStep(
  source: StepSource,
  record: StepRecord,
  forEach: string | undefined,
  replay: number,
): StepRecord {
  const { attempts, calls, items, sealed, itemRecords = [] } = record;
  if (items !== undefined && source.forEach === forEach) {
    const kept = itemRecords.map((item) =>
      isFinished(item, 'stop') ? item : restartedAttempt(source, [item], replay),
    );
    return {
      ...pendingStep(source),
      status: 'running',
      attempts,
      calls,
      items,
      ...(sealed !== undefined && { sealed }),
      itemRecords: kept,
    };
  }
  return { ...restartedAttempt(source, [record, ...itemRecords], replay), attempts, calls };
}

function restartedAttempt(
  source: StepSource,
  earlier: readonly AttemptRecord[],
  replay: number,
): AttemptRecord {
  const [since] = earlier.flatMap(({ inDoubtSince }) => inDoubtSince ?? []).sort();
  return {
    ...pendingStep(source),
    restartedByReplay: replay,
    ...(since !== undefined && { inDoubtSince: since }),
  };
}
