import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { FileRow, FileTable, TableProblem } from './table-problem.js';

/** The separators that spreadsheets write; Excel writes `;` in most of Europe. */
export const SEPARATORS = [',', ';', '\t'] as const;
type Separator = (typeof SEPARATORS)[number];

const parsedRows = z.array(z.object({ info: z.object({ lines: z.int() }), record: z.array(z.string()) }));

/**
 * Parses a CSV file whose first line names the columns (RFC 4180). Every value is a text as written: `000123` keeps its zeros. An
 * empty value is null.
 *
 * @param separator - Detected in the first line when left out.
 */
export function parseCsvTable(text: string, separator?: Separator): FileTable {
  const nothing = { columns: [], rows: [], warnings: [] };
  // Excel writes and reads this line before the header.
  const declared = /^sep=([,;\t])\r?\n/i.exec(text);
  const body = declared === null ? text : text.slice(declared[0].length);
  const skipped = declared === null ? 0 : 1;
  const delimiter = separator ?? SEPARATORS.find((one) => one === declared?.[1]) ?? separatorIn(body);
  let parsed: z.output<typeof parsedRows>;
  try {
    parsed = parsedRows.parse(
      parse(body, { delimiter, info: true, relax_column_count: true, skip_empty_lines: true }),
    );
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { ...nothing, problems: [explained(error, skipped)] };
  }
  const [header, ...records] = parsed.map(({ info, record }) => ({
    // The library names the last line of a record, and a quoted value may have several.
    line: info.lines + skipped - record.join('').split('\n').length + 1,
    record,
  }));
  if (header === undefined) {
    const message = 'this file is empty: its first line must name the columns';
    return { ...nothing, problems: [{ message, line: 1, column: 1 }] };
  }
  const names = header.record.map((name) => name.trim());
  const problems: TableProblem[] = names.flatMap((name, index) =>
    name !== '' && names.indexOf(name) !== index
      ? [{ message: `two columns have the name "${name}"`, line: header.line, column: 1 }]
      : [],
  );
  const warnings: TableProblem[] = [];
  const rows: FileRow[] = [];
  for (const { line, record } of records) {
    // Spreadsheets write lines of separators below the last row.
    if (record.every((value) => value.trim() === '')) continue;
    if (record.length !== names.length) {
      const message = `this row has ${counted(record.length)}, the first line has ${counted(names.length)}: a text that contains "${shown(delimiter)}" needs quotes`;
      problems.push({ message, line, column: 1 });
      continue;
    }
    const values = names.flatMap((name, index) => {
      const value = record[index] ?? '';
      return name === '' ? [] : [[name, value.trim() === '' ? null : value] as const];
    });
    rows.push({ line, values: Object.fromEntries(values) });
  }
  if (names.includes(''))
    warnings.push({ message: 'a column without a name is left out', line: header.line, column: 1 });
  return { columns: names.filter((name) => name !== ''), rows, problems, warnings };
}

const counted = (count: number): string => `${count} value${count === 1 ? '' : 's'}`;
const shown = (separator: string): string => (separator === '\t' ? 'a tab' : separator);

/** The separator that occurs most often in the first line, outside of quotes. */
function separatorIn(text: string): Separator {
  const header = (/^[^\r\n]*/.exec(text.trimStart())?.[0] ?? '').replace(/"[^"]*"/g, '');
  const counts = SEPARATORS.map((separator) => ({
    separator,
    count: header.split(separator).length - 1,
  }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).separator;
}

function explained(error: CsvError, skipped: number): TableProblem {
  const line = typeof error['lines'] === 'number' ? error['lines'] + skipped : 1;
  const message =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quote is not closed before the end of the file'
      : error.code === 'CSV_INVALID_CLOSING_QUOTE' || error.code === 'INVALID_OPENING_QUOTE'
        ? 'a quote within a value must be doubled (""), and a value with quotes must start with a quote'
        : error.message;
  return { message, line, column: 1 };
}
