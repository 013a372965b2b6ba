import type { RaisedDevices, RaisedScope } from '../coordination/raised-devices.js';
import type { RunEdge, RunJob } from '../queues/jobs.js';
import { stepOutputs } from './dry-run.js';
import { maskedOutput } from './run-secrets.js';
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

/** A ticket with its history fits. Devices times steps times this must fit into Redis. */
const MAX_LENGTH = 10_000;

const scopeOf = ({ event, rule }: Pick<RunJob, 'event' | 'rule'>, { mode }: RunEdge): RaisedScope => ({
  account: event.account,
  rule: rule.id,
  mode,
});

/** Keeps the outputs of a run that raised its device, for the `on_clear` of a later run. Secrets in them are masked already. */
export async function keepOutputs(run: RunJob, raised: RaisedDevices): Promise<void> {
  const { edge, steps, event } = run;
  if (edge?.kind !== 'raise') return;
  const outputs = Object.entries(stepOutputs(steps, edge.mode === 'dry_run', maskedOutput)).map(
    ([id, output]): [string, Record<string, unknown>] => [
      id,
      Object.fromEntries(
        Object.entries(output).map(([name, value]) => [name, shortened(value, MAX_LENGTH, MAX_LENGTH)]),
      ),
    ],
  );
  await raised.saveOutputs(scopeOf(run, edge), edge.device, event.id, Object.fromEntries(outputs));
}

/** What `on_clear` reads as `raised`; undefined for a run that performs `do`. */
export async function raisedValueOf(run: RunJob, raised: RaisedDevices): Promise<RaisedValue | undefined> {
  const { edge } = run;
  if (edge?.kind !== 'clear') return undefined;
  const { at, event } = edge.raised;
  return { at, event, steps: await raised.outputsOf(scopeOf(run, edge), event) };
}

/** Takes the edge of a run back that has done nothing and will do nothing, so that a later sweep finds the edge again. */
export async function takeEdgeBack(run: RunJob, raised: RaisedDevices): Promise<void> {
  const { edge, steps } = run;
  if (edge === undefined || steps.some(({ status }) => status === 'completed')) return;
  await raised.takeBack(scopeOf(run, edge), edge.device, edge);
}
