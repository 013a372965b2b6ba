import type { Shape } from './vocabulary.js';

/** The rows of a lookup, by normalized key. */
export interface LookupData {
  /** The columns that every row has. */
  readonly columns: Readonly<Record<string, Shape>>;
  /** A value is null where the row has none. */
  readonly rows: ReadonlyMap<string, LookupRecord>;
  /** Whether keys that differ in case only are different keys. */
  readonly caseSensitive: boolean;
  /** Changes with the content. */
  readonly version: string;
}

/** One row, by column, and its key as written. */
export interface LookupRecord {
  readonly key: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A lookup of a rule file. */
export type LookupSource =
  | { readonly kind: 'file'; readonly name: string; readonly data: LookupData }
  | { readonly kind: 'http'; readonly name: string; readonly settings: HttpLookupSettings };

/** Where a lookup over HTTP gets its rows from. Texts keep `${env:NAME}` unresolved. */
export interface HttpLookupSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The field with the key of a row; undefined when the rows are a record by key. */
  readonly key: string | undefined;
  /** The names on the way to the rows, from the root of the response. */
  readonly path: readonly string[];
  readonly refreshMs: number;
  readonly caseSensitive: boolean;
}

/** The key of a row as tables store it; undefined for what cannot be a key. Spaces around it never count. */
export function lookupKey(key: unknown, caseSensitive: boolean): string | undefined {
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') return undefined;
  const text = String(key).trim();
  return caseSensitive ? text : text.toLowerCase();
}
