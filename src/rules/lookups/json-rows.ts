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
  const lines = linesOfElements(text);
  const entries: (readonly [string | undefined, unknown])[] = Array.isArray(root)
    ? root.map((value: unknown) => [undefined, value] as const)
    : Object.entries(root);
  const elements = entries.map(([key, value]: readonly [string | undefined, unknown], index) => ({
    key,
    value,
    line: lines[index] ?? 1,
  }));
  const problems = elements.flatMap(({ value, line }) =>
    hasUnsafeNumber(value)
      ? [{ message: 'a number is too long to be exact: put it in quotes', line, column: 1 }]
      : [],
  );
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

/** The line on which each element of the root starts. */
function linesOfElements(text: string): number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\n') line += 1;
    if (inText) {
      if (character === '\\') at += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') {
      if (depth === 1) lines.push(line);
      depth += 1;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return lines;
}
