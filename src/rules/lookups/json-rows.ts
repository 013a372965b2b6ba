import type { FileRow, TableProblem } from './table-problem.js';

/** A JSON text whose root is a list or a record, with the line of each element. */
export interface JsonElements {
  readonly elements: readonly {
    readonly key: string | undefined;
    readonly value: unknown;
    readonly line: number;
  }[];
  readonly problems: readonly TableProblem[];
}

/** Parses JSON; undefined when the text is not JSON. Many times faster than YAML, which large exports need. */
export function jsonElements(text: string): JsonElements | undefined {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof root !== 'object' || root === null) return undefined;
  const { lines, names } = placesOfElements(text);
  const lineOfName = new Map(names.map(({ name, line }) => [name, line]));
  const elements = Array.isArray(root)
    ? root.map((value: unknown, index) => ({ key: undefined, value, line: lines[index] ?? 1 }))
    : Object.entries(root).map(([key, value]: [string, unknown]) => ({
        key,
        value,
        line: lineOfName.get(key) ?? 1,
      }));
  const seen = new Set<string>();
  const repeated = names.filter(({ name }) => seen.size === seen.add(name).size);
  const problems = [
    ...repeated.map(({ name, line }) => ({
      message: `the key ${JSON.stringify(name)} occurs more than once: keep one of the records`,
      line,
      column: 1,
    })),
    ...elements.flatMap(({ value, line }) =>
      hasUnsafeNumber(value)
        ? [{ message: 'a number is too long to be exact: put it in quotes', line, column: 1 }]
        : [],
    ),
  ];
  return { elements, problems };
}

/** The rows of elements that are records. */
export function rowsOf(
  { elements }: JsonElements,
  keyColumn: string,
): { rows: FileRow[]; problems: TableProblem[] } {
  const rows: FileRow[] = [];
  const problems: TableProblem[] = [];
  for (const { key, value, line } of elements) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push({ message: 'expected a record with names and values', line, column: 1 });
      continue;
    }
    const given = Object.entries(value).map(([name, one]: [string, unknown]): [string, unknown] => [
      name,
      one === '' ? null : one,
    ]);
    rows.push({
      line,
      values: { ...(key !== undefined && { [keyColumn]: key }), ...Object.fromEntries(given) },
    });
  }
  return { rows, problems };
}

/** Above 2^53 JSON numbers lose digits without a word. */
function hasUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number')
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeNumber);
}

/** The line on which each element of the root starts, and the names of the root with their lines. */
function placesOfElements(text: string): { lines: number[]; names: { name: string; line: number }[] } {
  const lines: number[] = [];
  const names: { name: string; line: number }[] = [];
  let line = 1;
  let depth = 0;
  let inText = false;
  let [start, end] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\n') line += 1;
    if (inText) {
      if (character === '\\') at += 1;
      else if (character === '"') [inText, end] = [false, at + 1];
    } else if (character === '"') [inText, start] = [true, at];
    else if (character === ':' && depth === 1)
      names.push({ name: String(JSON.parse(text.slice(start, end))), line });
    else if (character === '{' || character === '[') {
      if (depth === 1) lines.push(line);
      depth += 1;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return { lines, names };
}
