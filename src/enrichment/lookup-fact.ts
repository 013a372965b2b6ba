import { z } from 'zod';
import type { LookupRows } from '../lookups/lookup-rows.js';
import { LookupTable } from '../rules/lookups/lookup-table.js';

/**
 * What the trace keeps of a lookup: which rows rules asked for, and only the columns that they read. The table itself may hold data of
 * thousands of people, and would fill Redis.
 */
const lookupRecord = z.object({
  rows: z.int(),
  version: z.string(),
  /** By key; null where the table does not have the key. */
  used: z.record(z.string(), z.record(z.string(), z.unknown()).nullable()),
});

/** What the trace keeps of a lookup. */
export type LookupRecordTrace = z.output<typeof lookupRecord>;

/** A lookup of one event, and what rules have read of it so far. */
export interface LookupFact {
  readonly table: LookupTable;
  readonly record: () => LookupRecordTrace;
  /** Whether rules have read more since the last call. */
  readonly takeChanged: () => boolean;
}

/** A condition with a macro could read every row. */
const MAX_USED = 50;

/**
 * Creates the view of a lookup for one event.
 *
 * @param known - The record of an earlier attempt, whose rows are kept.
 */
export function createLookupFact({ data }: LookupRows, known: unknown): LookupFact {
  const earlier = lookupRecord.safeParse(known);
  const used = new Map(Object.entries(earlier.success ? earlier.data.used : {}));
  let hasChanged = false;
  const table = new LookupTable(data, (key, row, column) => {
    const before = used.get(key);
    if (before === undefined && used.size >= MAX_USED) return;
    const isKnown =
      before !== undefined && (column === undefined || (before !== null && Object.hasOwn(before, column)));
    if (isKnown) return;
    hasChanged = true;
    used.set(
      key,
      row === undefined
        ? null
        : { ...before, ...(column !== undefined && { [column]: row.values[column] ?? null }) },
    );
  });
  return {
    table,
    record: () => ({ rows: data.rows.size, version: data.version, used: Object.fromEntries(used) }),
    takeChanged: () => {
      const changed = hasChanged;
      hasChanged = false;
      return changed;
    },
  };
}
