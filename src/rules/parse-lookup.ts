import type { DataFile } from '../config/read-data-files.js';
import { didYouMean } from '../errors/did-you-mean.js';
import type { ErrorCode } from '../errors/registry.js';
import { checkEnvReferences } from './check-env-references.js';
import { parseCsvTable } from './lookups/csv-table.js';
import { KEY_COLUMN, parseRecordTable, typedRows } from './lookups/record-table.js';
import { byKey, versionOf } from './lookups/table-problem.js';
import type { FileTable, TableProblem } from './lookups/table-problem.js';
import type { LookupData, LookupSource } from './model/lookup.js';
import { fileLookup, httpLookup, lookupName } from './model/lookup-schema.js';
import type { Path, Report, RuleProblem } from './model/problem.js';
import { problemAt } from './model/problem.js';
import { forEachString, member } from './model/values.js';
import type { Shape, Vocabulary } from './model/vocabulary.js';
import { checkSchema } from './schema-issues.js';

/** Where the problems of a lookup go. */
export interface LookupReports {
  readonly report: Report;
  readonly warn: Report;
  /** Receives problems in the data file itself. */
  readonly reportInFile: (problem: RuleProblem) => void;
  readonly warnInFile: (problem: RuleProblem) => void;
}

/** A lookup of a rule file, and its shape in conditions and templates. */
export interface ParsedLookup {
  readonly name: string;
  readonly shape: Shape;
  /** Undefined when the lookup has problems, or its file was not read. */
  readonly source: LookupSource | undefined;
}

/** More problems of one file tell nothing new. */
const MAX_PROBLEMS = 20;

/**
 * Parses a lookup of a rule file and the rows of its file.
 *
 * @param data - The data files of the rule file; undefined when none were read, as in an editor: then columns are not checked.
 */
export function parseLookup(
  name: string,
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  data: readonly DataFile[] | undefined,
  reports: LookupReports,
): ParsedLookup {
  const { report } = reports;
  const nothing: ParsedLookup = { name, shape: { tableOf: 'any' }, source: undefined };
  const named = lookupName.safeParse(name);
  if (!named.success) {
    const message = named.error.issues[0]?.message ?? 'expected another name';
    report({ code: 'rule/invalid-value', path: place, atKey: true, message });
  }
  forEachString(inFile, place, (text, path) => checkEnvReferences(text, vocabulary, path, reports));
  if (member(inFile, 'url') !== undefined) {
    const parsed = httpLookup.safeParse(inFile);
    if (!parsed.success) {
      checkSchema(httpLookup, inFile, { place, keyKind: 'key', report });
      return nothing;
    }
    const { url, headers, key, path = '', refresh, case_sensitive: caseSensitive } = parsed.data;
    const settings = {
      url,
      headers,
      key,
      path: path.split('.').filter(Boolean),
      refreshMs: refresh,
      caseSensitive,
    };
    return { ...nothing, source: { kind: 'http', name, settings } };
  }
  // `staff: staff.csv`
  const settings = typeof inFile === 'string' ? { file: inFile } : inFile;
  const parsed = fileLookup.safeParse(settings);
  if (!parsed.success) {
    checkSchema(fileLookup, settings, { place, keyKind: 'key', report });
    return nothing;
  }
  const { file, key } = parsed.data;
  const isCsv = /\.csv$/i.test(file);
  if (isCsv && key === undefined) {
    const message = 'missing key "key": expected the name of the column with the keys, such as serial_number';
    report({ code: 'rule/missing-key', path: place, message });
    return nothing;
  }
  const found = data?.find((one) => one.file === file);
  if (found === undefined) return nothing;
  const { content, name: fileName } = found;
  if (!('text' in content)) {
    const { problem: message, line, column = 1 } = content;
    const code = 'lookup/unreadable';
    if (line === undefined) report({ code, path: [...place, 'file'], message });
    else reports.reportInFile(problemAt({ file: fileName, line, column }, { code, message }, []));
    return nothing;
  }
  const table = isCsv
    ? parseCsvTable(content.text, parsed.data.separator)
    : parseRecordTable(content.text, key);
  const result = dataOf(table, isCsv, key ?? KEY_COLUMN, parsed.data.case_sensitive, content.text);
  if ('unknownKey' in result) {
    const message = `${file} has no column "${result.unknownKey}"${didYouMean(result.unknownKey, table.columns)} (columns: ${table.columns.join(', ')})`;
    report({ code: 'rule/unknown-field', path: [...place, 'key'], message });
    return nothing;
  }
  const code: ErrorCode = 'lookup/invalid-data';
  const inDataFile = ({ message, line, column }: TableProblem): RuleProblem =>
    problemAt({ file: fileName, line, column }, { code, message }, []);
  for (const problem of limited(result.problems)) reports.reportInFile(inDataFile(problem));
  for (const problem of limited(result.warnings)) reports.warnInFile(inDataFile(problem));
  if (result.problems.length > 0) return nothing;
  return {
    name,
    shape: { tableOf: { fields: result.data.columns } },
    source: { kind: 'file', name, data: result.data },
  };
}

function dataOf(
  table: FileTable,
  isCsv: boolean,
  key: string,
  caseSensitive: boolean,
  text: string,
):
  | { readonly unknownKey: string }
  | {
      readonly data: LookupData;
      readonly problems: readonly TableProblem[];
      readonly warnings: readonly TableProblem[];
    } {
  const isReadable = table.problems.length === 0;
  // A file without rows has no columns to compare with, unless it is CSV.
  if (isReadable && !table.columns.includes(key) && (isCsv || table.rows.length > 0))
    return { unknownKey: key };
  const { columns, rows } = isCsv
    ? {
        columns: Object.fromEntries(table.columns.map((column) => [column, 'string' as const])),
        rows: table.rows,
      }
    : typedRows(table.columns, table.rows);
  const keyed = byKey(rows, key, caseSensitive);
  const noRows =
    isReadable && keyed.rows.size === 0
      ? [{ message: 'this file has no rows: no key will be found', line: 1, column: 1 }]
      : [];
  return {
    data: { columns, rows: keyed.rows, caseSensitive, version: versionOf(text) },
    problems: [...table.problems, ...keyed.problems],
    warnings: [...table.warnings, ...keyed.warnings, ...noRows],
  };
}

function limited(problems: readonly TableProblem[]): readonly TableProblem[] {
  const more = problems.length - MAX_PROBLEMS;
  const next = problems[MAX_PROBLEMS];
  if (more <= 0 || next === undefined) return problems;
  return [...problems.slice(0, MAX_PROBLEMS), { ...next, message: `${next.message} (and ${more - 1} more)` }];
}
