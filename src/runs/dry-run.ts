import { ACTIONS } from '../actions/registry.js';
import type { StepRecord } from '../queues/jobs.js';
import type { PendingCall } from '../simplemdm/call-recorder.js';
import type { RunSecrets } from './run-secrets.js';

/** Every reason of a step that a dry run skipped starts with this text. */
const DRY_RUN = 'dry run: ';

/** The reason of a step that a dry run skipped. */
export const dryRunReason = (reason: string): string => `${DRY_RUN}${reason}`;

/** Ends a step of a dry run before it sends something. The message shows the call that it would send. */
export class DryRunStop extends Error {
  override readonly name = 'DryRunStop';

  constructor({ method, path, body }: PendingCall) {
    const fields = Object.entries(body ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
    const shown = fields.length === 0 ? '' : ` { ${fields.join(', ')} }`;
    super(dryRunReason(`would send ${method} ${path}${shown}`));
  }
}

/** What later steps read as `steps`, by the id of the step. */
export function stepOutputs(
  steps: readonly StepRecord[],
  dryRun: boolean,
  reveal: RunSecrets['reveal'],
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    steps.flatMap((record): [string, Record<string, unknown>][] => {
      const { id, status, reason } = record;
      if (id === undefined) return [];
      const isPlaceholder = dryRun && reason?.startsWith(DRY_RUN) === true;
      return [
        [
          id,
          isPlaceholder
            ? placeholderOutputs(record)
            : { reason: reason ?? null, ...outputOf(record, reveal), status },
        ],
      ];
    }),
  );
}

/** With `for_each`, the outputs of the items stand in the output of the step. */
function outputOf(record: StepRecord, reveal: RunSecrets['reveal']): Readonly<Record<string, unknown>> {
  const { output, itemRecords } = record;
  if (itemRecords === undefined || output?.['items'] === undefined) return reveal(record);
  const items = itemRecords.map((item) => ({
    status: item.status,
    reason: item.reason ?? null,
    ...(item.output !== undefined && reveal(item)),
  }));
  return { ...output, items };
}

/** Placeholders for the output of a step that a dry run skipped, so that later steps show what they would send. */
function placeholderOutputs({ id = '', action }: StepRecord): Record<string, unknown> {
  const outputs = Object.keys((Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.outputs : undefined) ?? {});
  return {
    ...Object.fromEntries(outputs.map((name) => [name, `{{ steps.${id}.${name} }}`])),
    reason: null,
    status: 'completed',
  };
}
