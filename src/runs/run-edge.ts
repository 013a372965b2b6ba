import { z } from 'zod';
import type { RaisedDevices, RaisedScope } from '../coordination/raised-devices.js';
import type { AttemptRecord, RunEdge, RunJob, StepRecord } from '../queues/jobs.js';
import { stepRecord } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';
import { stepOutputs } from './dry-run.js';
import type { RunSecrets } from './run-secrets.js';
import { shortened } from './shortened.js';

/** What `on_clear` reads as `raised`. */
export interface RaisedValue {
  /** When the condition turned true: ISO 8601. */
  readonly at: string;
  /** The event whose run performed `do`. */
  readonly event: string;
  /** The outputs of the steps of `do`, by their ids. */
  readonly steps: Readonly<Record<string, unknown>>;
}

/** A ticket with its history fits. */
const MAX_LENGTH = 10_000;
/** The longest answer of a web service fits. Devices times steps times this must fit into Redis. */
const MAX_STORED_LENGTH = 20_000;

const scopeOf = ({ event, rule }: Pick<RunJob, 'event' | 'rule'>, { mode }: RunEdge): RaisedScope => ({
  account: event.account,
  rule: rule.id,
  mode,
});

/**
 * Keeps the outputs of a run that raised its device, for the `on_clear` of a later run: as the records of its steps, so that their secrets
 * stay encrypted.
 */
export async function keepOutputs(run: RunJob, raised: RaisedDevices): Promise<void> {
  const { edge, steps, event } = run;
  if (edge?.kind !== 'raise') return;
  const kept = steps.flatMap((step) => (step.id === undefined ? [] : [[step.id, keptRecord(step)] as const]));
  await raised.saveOutputs(scopeOf(run, edge), edge.device, event.id, Object.fromEntries(kept));
}

/** What {@link stepOutputs} reads of a record. */
function keptRecord({ items: _items, itemRecords, ...step }: StepRecord): StepRecord {
  return {
    ...keptAttempt(step),
    ...(itemRecords && { itemRecords: itemRecords.map(keptAttempt) }),
  };
}

function keptAttempt({ action, id, status, attempts, reason, output, sealed }: AttemptRecord): AttemptRecord {
  return {
    action,
    ...(id !== undefined && { id }),
    status,
    attempts,
    calls: [],
    ...(reason !== undefined && { reason }),
    ...(output && { output: shortenedValues(output, MAX_STORED_LENGTH) }),
    ...(sealed !== undefined && { sealed }),
  };
}

function shortenedValues(
  output: Readonly<Record<string, unknown>>,
  maxLength: number,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [name, shortened(value, maxLength, maxLength)]),
  );
}

const keptOutputs = z.record(z.string(), stepRecord);

/** What `on_clear` reads as `raised`; undefined for a run that performs `do`. */
export async function raisedValueOf(
  run: RunJob,
  raised: RaisedDevices,
  secrets: Pick<RunSecrets, 'revealOf'>,
): Promise<RaisedValue | undefined> {
  const { edge, rule } = run;
  if (edge?.kind !== 'clear') return undefined;
  const { at, event } = edge.raised;
  const records = keptOutputs.parse(await raised.outputsOf(scopeOf(run, edge), event));
  const outputs = stepOutputs(Object.values(records), edge.mode === 'dry_run', (record) =>
    secrets.revealOf(runId(event, rule.id), record),
  );
  const steps = Object.entries(outputs).map(
    ([id, output]) => [id, shortenedValues(output, MAX_LENGTH)] as const,
  );
  return { at, event, steps: Object.fromEntries(steps) };
}

/** Takes the edge of a run back that has done nothing and will do nothing, so that a later sweep finds the edge again. */
export async function takeEdgeBack(run: RunJob, raised: RaisedDevices): Promise<void> {
  const { edge, steps } = run;
  if (edge === undefined || steps.some(({ status }) => status === 'completed')) return;
  await raised.takeBack(scopeOf(run, edge), edge.device, edge);
}
