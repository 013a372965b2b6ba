import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import type { Shape } from '../model/vocabulary.js';
import { jsonElements, rowsOf } from './json-rows.js';
import type { FileRow, FileTable, TableProblem } from './table-problem.js';

/** The column that a record by key gets for its key. */
export const KEY_COLUMN = 'key';

const MAX_ALIASES = 100;

/**
 * Parses a YAML or JSON file: a list of records, or, without `keyColumn`, a record of records by key.
 *
 * A number keeps the text that the file has for it when the text says more than the number: `000123`, 25 digits.
 */
export function parseRecordTable(text: string, keyColumn: string | undefined): FileTable {
  const json = jsonElements(text);
  const isList = text.trimStart().startsWith('[');
  // A root of the other kind is reported below, with its position.
  if (json === undefined || isList !== (keyColumn !== undefined)) return parseYamlTable(text, keyColumn);
  const { rows, problems } = rowsOf(json, keyColumn ?? KEY_COLUMN);
  return { columns: columnsOf(rows), rows, problems: [...json.problems, ...problems], warnings: [] };
}

function columnsOf(rows: readonly FileRow[]): string[] {
  return [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
}

function parseYamlTable(text: string, keyColumn: string | undefined): FileTable {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string): TableProblem => {
    const { line, col: column } = lines.linePos(offset);
    return { message, line: Math.max(line, 1), column: Math.max(column, 1) };
  };
  const empty = { columns: [], rows: [], warnings: [] };
  if (document.errors.length > 0) {
    return { ...empty, problems: document.errors.map(({ message, pos: [start] }) => at(start, message)) };
  }
  const root = document.contents;
  const problems: TableProblem[] = [];
  const rows: FileRow[] = [];
  const add = (given: unknown, key?: string): void => {
    const node = resolved(given, document);
    if (!isMap(node)) {
      const message = 'expected a record with names and values, such as { serial_number: C02X, owner: Ada }';
      problems.push(at(offsetOf(given), message));
      return;
    }
    const merge = node.items.find(({ key: name }) => keyText(name) === '<<');
    if (merge !== undefined) {
      const message = '"<<" merges nothing here: write the values into each record';
      problems.push(at(offsetOf(merge.key), message));
      return;
    }
    const values = Object.fromEntries([
      ...(key === undefined ? [] : [[KEY_COLUMN, key] as const]),
      ...node.items.map(({ key: name, value }) => [keyText(name), plain(value, document)] as const),
    ]);
    rows.push({ line: at(offsetOf(given), '').line, values });
  };
  if (isSeq(root) && keyColumn !== undefined) root.items.forEach((item) => add(item));
  else if (isMap(root) && keyColumn === undefined)
    root.items.forEach(({ key, value }) => add(value, keyText(key)));
  else {
    const message =
      keyColumn === undefined
        ? 'expected a record of records by their keys; for a list of records, name the field with the key: key: serial_number'
        : 'expected a list of records, such as - { serial_number: C02X, owner: Ada }; for a record by key, leave out "key"';
    problems.push(at(offsetOf(root), message));
  }
  return { columns: columnsOf(rows), rows, problems, warnings: [] };
}

/** The rows with one type per column, and the types: a column of numbers and texts is a column of texts. */
export function typedRows(
  columns: readonly string[],
  rows: readonly FileRow[],
): { readonly columns: Readonly<Record<string, Shape>>; readonly rows: readonly FileRow[] } {
  const shapes = Object.fromEntries(
    columns.map((column) => [column, shapeOfColumn(rows.map(({ values }) => values[column] ?? null))]),
  );
  const typed = rows.map(({ line, values }) => ({
    line,
    values: Object.fromEntries(
      columns.map((column) => {
        const value = values[column] ?? null;
        return [column, shapes[column] === 'string' ? asText(value) : asValue(value)];
      }),
    ),
  }));
  return { columns: shapes, rows: typed };
}

/** A number and the text that the file has for it. */
class Written {
  readonly value: number;
  readonly text: string;

  constructor(value: number, text: string) {
    this.value = value;
    this.text = text;
  }

  /** Whether the number says as much as its text. */
  get isPlain(): boolean {
    return String(this.value) === this.text;
  }
}

function asText(value: unknown): string | null {
  if (value instanceof Written) return value.text;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null;
}

function asValue(value: unknown): unknown {
  if (!(value instanceof Written)) return value;
  return value.isPlain ? value.value : value.text;
}

function shapeOfColumn(values: readonly unknown[]): Shape {
  const kinds = new Set(values.filter((value) => value !== null).map(kindOf));
  const [first = 'string'] = kinds;
  if (kinds.has('any')) return 'any';
  return kinds.size <= 1 ? first : 'string';
}

function kindOf(value: unknown): 'string' | 'number' | 'bool' | 'any' {
  if (value instanceof Written) return value.isPlain ? 'number' : 'string';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'bool' : 'any';
}

/** What an alias (`*name`) stands for. */
function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function plain(given: unknown, document: Document): unknown {
  const node = resolved(given, document);
  if (isScalar(node) && typeof node.value === 'number')
    return new Written(node.value, node.source ?? String(node.value));
  if (isScalar(node)) return node.value === '' ? null : node.value;
  if (isMap(node) || isSeq(node)) return node.toJS(document, { maxAliasCount: MAX_ALIASES });
  return null;
}

function keyText(key: unknown): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function isNode(node: unknown): node is Node {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
}
