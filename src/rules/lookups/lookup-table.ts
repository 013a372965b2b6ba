import { EvaluationError } from '@marcbachmann/cel-js';
import { unknown } from '../cel/unknown-value.js';
import type { LookupData, LookupRecord } from '../model/lookup.js';
import { lookupKey } from '../model/lookup.js';

/** Called for each key that a rule asks for; with a column when the rule reads one. `row` is undefined when the table has no such key. */
export type OnLookup = (key: string, row: LookupRecord | undefined, column?: string) => void;

/**
 * A lookup as conditions and templates see it. It is a view of the rows: no event copies them.
 *
 * The CEL library reads values of own types by `Map.get`.
 */
export class LookupTable extends Map<unknown, LookupRow> {
  readonly #data: LookupData;
  readonly #onLookup: OnLookup;

  constructor(data: LookupData, onLookup: OnLookup = () => undefined) {
    super();
    this.#data = data;
    this.#onLookup = onLookup;
  }

  /**
   * The row of a key. A key that the table does not have gives a row of nulls.
   *
   * @throws EvaluationError when the key is null, which leaves the row unknown, or cannot be a key.
   */
  override get(key: unknown): LookupRow {
    if (key === null || key === undefined) throw unknown('the key of the lookup is null');
    const { row, written } = this.#find(key);
    this.#onLookup(written, row);
    return new LookupRow(row, (column) => this.#onLookup(written, row, column));
  }

  override has(key: unknown): boolean {
    const { row, written } = this.#find(key);
    this.#onLookup(written, row);
    return row !== undefined;
  }

  override get size(): number {
    return this.#data.rows.size;
  }

  override *keys(): MapIterator<unknown> {
    for (const { key } of this.#data.rows.values()) yield key;
  }

  /** What a reason or a trace shows in place of the rows. */
  toJSON(): { readonly rows: number } {
    return { rows: this.size };
  }

  #find(key: unknown): { row: LookupRecord | undefined; written: string } {
    const { rows, caseSensitive } = this.#data;
    const normalized = lookupKey(key, caseSensitive);
    if (normalized === undefined)
      throw new EvaluationError({
        code: 'invalid_key',
        message: 'the key of a lookup must be a text or a number',
      });
    return { row: rows.get(normalized), written: String(key).trim() };
  }
}

/** A row of a {@link LookupTable}: its columns. */
export class LookupRow extends Map<unknown, unknown> {
  readonly #row: LookupRecord | undefined;
  readonly #onRead: (column: string) => void;

  constructor(row: LookupRecord | undefined, onRead: (column: string) => void) {
    super();
    this.#row = row;
    this.#onRead = onRead;
  }

  /** Whether the table does not have the key. */
  get isMissing(): boolean {
    return this.#row === undefined;
  }

  override get(column: unknown): unknown {
    const name = String(column);
    this.#onRead(name);
    const values = this.#row?.values ?? {};
    return Object.hasOwn(values, name) ? (values[name] ?? null) : null;
  }

  toJSON(): Readonly<Record<string, unknown>> | null {
    return this.#row?.values ?? null;
  }
}
