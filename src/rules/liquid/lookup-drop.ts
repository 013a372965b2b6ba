import { Drop } from 'liquidjs';
import { LookupTable } from '../lookups/lookup-table.js';
import type { LookupRow } from '../lookups/lookup-table.js';
import type { Values } from '../model/values.js';

class LookupDrop extends Drop {}

/**
 * An object whose every property is read by a function.
 *
 * A key comes from a device, whose name may be "constructor" or "toString": it must not reach a property of the object itself.
 */
function dropOf(read: (key: unknown) => unknown, whenPrinted: string): Drop {
  return new Proxy(new LookupDrop(), {
    get: (_drop, property) => {
      if (property === 'liquidMethodMissing') return read;
      if (property !== Symbol.toPrimitive) return undefined;
      return () => {
        throw new Error(whenPrinted);
      };
    },
  });
}

/** A lookup in a template: `lookup.staff[device.serial_number].department`. A row or a value that is not there is null. */
function tableDrop(name: string, table: LookupTable): Drop {
  return dropOf((key) => {
    if (key === null || key === undefined) return null;
    const row = table.get(key);
    return row.isMissing ? null : rowDrop(name, row);
  }, `lookup.${name} is a table: name a key, such as lookup.${name}[device.serial_number]`);
}

function rowDrop(name: string, row: LookupRow): Drop {
  return dropOf((column) => row.get(column), `lookup.${name}[…] is a row: name a column after it`);
}

/** Values for a template, with the lookups in the form that the Liquid library reads. */
export function withLookupDrops(values: Values): Record<string, unknown> {
  const { lookup } = values;
  if (typeof lookup !== 'object' || lookup === null) return { ...values };
  const drops = Object.entries(lookup).map(([name, table]: [string, unknown]) => [
    name,
    table instanceof LookupTable ? tableDrop(name, table) : table,
  ]);
  return { ...values, lookup: Object.fromEntries(drops) };
}
