import { Drop } from 'liquidjs';
import { LookupTable } from '../lookups/lookup-table.js';
import type { LookupRow } from '../lookups/lookup-table.js';
import type { Values } from '../model/values.js';

/** A lookup in a template: `lookup.staff[device.serial_number].department`. A row or a column that is not there is null. */
class TableDrop extends Drop {
  readonly #table: LookupTable;

  constructor(table: LookupTable) {
    super();
    this.#table = table;
  }

  override liquidMethodMissing(key: unknown): RowDrop | number | null {
    if (key === null || key === undefined) return null;
    if (key === 'size' && !this.#table.has(key)) return this.#table.size;
    const row = this.#table.get(key);
    return row.isMissing ? null : new RowDrop(row);
  }
}

class RowDrop extends Drop {
  readonly #row: LookupRow;

  constructor(row: LookupRow) {
    super();
    this.#row = row;
  }

  override liquidMethodMissing(column: string | number): unknown {
    return this.#row.get(column);
  }
}

/** Values for a template, with the lookups in the form that the Liquid library reads. */
export function withLookupDrops(values: Values): Record<string, unknown> {
  const { lookup } = values;
  if (typeof lookup !== 'object' || lookup === null) return { ...values };
  const drops = Object.entries(lookup).map(([name, table]: [string, unknown]) => [
    name,
    table instanceof LookupTable ? new TableDrop(table) : table,
  ]);
  return { ...values, lookup: Object.fromEntries(drops) };
}
