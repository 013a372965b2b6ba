import { createHash } from 'node:crypto';
import type { LookupRecord } from '../model/lookup.js';
import { lookupKey } from '../model/lookup.js';

/** A problem at a place of a data file. */
export interface TableProblem {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** A row of a data file before it has a key. */
export interface FileRow {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The rows of a data file, with everything that is wrong with it. */
export interface FileTable {
  readonly columns: readonly string[];
  readonly rows: readonly FileRow[];
  readonly problems: readonly TableProblem[];
  readonly warnings: readonly TableProblem[];
}

/**
 * Gives each row its key. A row without a key is left out with a warning; a key that two rows have is a problem, because either row may be
 * the right one.
 */
export function byKey(
  rows: readonly FileRow[],
  keyColumn: string,
  caseSensitive: boolean,
): {
  readonly rows: Map<string, LookupRecord>;
  readonly problems: TableProblem[];
  readonly warnings: TableProblem[];
} {
  const found = new Map<string, LookupRecord>();
  const lines = new Map<string, number>();
  const problems: TableProblem[] = [];
  const warnings: TableProblem[] = [];
  for (const { line, values } of rows) {
    const given = values[keyColumn];
    const key = lookupKey(given, caseSensitive);
    if (key === undefined || key === '') {
      warnings.push({ message: `this row has no ${keyColumn}: it is left out`, line, column: 1 });
      continue;
    }
    const first = lines.get(key);
    if (first !== undefined) {
      const written = String(given).trim();
      const message = `the ${keyColumn} "${written}" is already on line ${first}: keep one of the rows`;
      problems.push({ message, line, column: 1 });
      continue;
    }
    lines.set(key, line);
    found.set(key, { key: String(given).trim(), values });
  }
  return { rows: found, problems, warnings };
}

/** A short name for a content. */
export function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
