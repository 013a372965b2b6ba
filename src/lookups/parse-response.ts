import { withExactNumbers } from '../http/exact-numbers.js';
import type { ExchangeResponse } from '../http/exchange.js';
import { versionOf } from '../rules/lookups/table-problem.js';
import { lookupKey } from '../rules/model/lookup.js';
import type { HttpLookupSettings, LookupData, LookupRecord } from '../rules/model/lookup.js';
import { valueAt } from '../rules/model/values.js';

/** A response without usable rows. */
export class UnusableResponseError extends Error {
  override readonly name = 'UnusableResponseError';
  /** The earliest time of the next request in epoch milliseconds, if the service named one. */
  readonly notBefore: number | undefined;

  constructor(message: string, notBefore?: number, options?: ErrorOptions) {
    super(message, options);
    this.notBefore = notBefore;
  }
}

/**
 * The rows of a response. A response of another form is an error and never an empty table: rules would take "no row" for an answer.
 *
 * @throws UnusableResponseError
 */
export function parseResponse(
  { text }: Pick<ExchangeResponse, 'text'>,
  { key, path, caseSensitive }: HttpLookupSettings,
  maxCharacters: number,
): { readonly data: LookupData; readonly warnings: readonly string[] } {
  if (text.length >= maxCharacters)
    throw new UnusableResponseError(`the response is longer than ${maxCharacters} characters`);
  let root: unknown;
  try {
    // Two keys could become one when JavaScript rounds them.
    root = JSON.parse(withExactNumbers(text.replace(/^\uFEFF/, '')));
  } catch {
    throw new UnusableResponseError(`the response is not JSON: ${describe(text)}`);
  }
  const rows = path.length === 0 ? root : valueAt({ root }, ['root', ...path]);
  const rules = key === undefined ? 'a record by key' : 'a list of records';
  const entries = entriesOf(rows, key);
  if (entries === undefined) {
    const where = path.length === 0 ? 'the response' : path.join('.');
    throw new UnusableResponseError(`expected ${rules} at ${where}, got ${kindOf(rows)}`);
  }
  const found = new Map<string, LookupRecord>();
  const skipped: string[] = [];
  const repeated: string[] = [];
  const columns = new Set<string>();
  for (const [index, [given, row]] of entries.entries()) {
    const normalized = lookupKey(given, caseSensitive);
    if (typeof row !== 'object' || row === null || normalized === undefined || normalized === '') {
      skipped.push(`number ${index + 1}`);
      continue;
    }
    if (found.has(normalized)) repeated.push(String(given));
    const values = Object.fromEntries(
      Object.entries(row).map(([name, value]: [string, unknown]) => [name, value === '' ? null : value]),
    );
    for (const name of Object.keys(values)) columns.add(name);
    found.set(normalized, { key: String(given).trim(), values });
  }
  if (found.size === 0 && skipped.length > 0)
    throw new UnusableResponseError(`no row has a usable "${key ?? 'key'}" (fields: ${fieldsOf(entries)})`);
  return {
    data: {
      columns: Object.fromEntries([...columns].map((name) => [name, 'any' as const])),
      rows: found,
      caseSensitive,
      version: versionOf(text),
    },
    warnings: [
      ...(text.includes('\uFFFD')
        ? ['the response is not UTF-8: characters that cannot be read are replaced by U+FFFD']
        : []),
      ...(skipped.length === 0
        ? []
        : [`${skipped.length} rows without a key are left out, such as ${skipped[0] ?? ''}`]),
      ...(repeated.length === 0
        ? []
        : [
            `${repeated.length} keys occur more than once, such as ${repeated[0] ?? ''}: the last row counts`,
          ]),
    ],
  };
}

/** What a response is that is not JSON. Never quotes it: it may hold secrets. */
function describe(text: string): string {
  const start = text.trimStart();
  if (start === '') return 'it is empty';
  return start.startsWith('<') ? 'it looks like a web page' : `it is other text, ${text.length} characters`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a record' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}

function entriesOf(rows: unknown, key: string | undefined): (readonly [unknown, unknown])[] | undefined {
  if (key !== undefined)
    return Array.isArray(rows)
      ? rows.map((row: unknown) => [valueAt({ row }, ['row', ...key.split('.')]), row] as const)
      : undefined;
  return typeof rows === 'object' && rows !== null && !Array.isArray(rows) ? Object.entries(rows) : undefined;
}

function fieldsOf(entries: readonly (readonly [unknown, unknown])[]): string {
  const first = entries[0]?.[1];
  return typeof first === 'object' && first !== null ? Object.keys(first).slice(0, 20).join(', ') : 'none';
}
