import type { z } from 'zod';
import type { ErrorCode } from '../errors/registry.js';
import { didYouMeanName, resolveAlias } from './aliases.js';
import { adviceOnKey } from './key-advice.js';
import { unknownKey } from './unknown-key.js';
import type { Path, Report } from './model/problem.js';
import { member } from './model/values.js';

/** How issues of a schema become problems. */
interface IssueOptions {
  /** The path of the checked value in its file. */
  readonly place: Path;
  /** What a key of the value is called in messages. */
  readonly keyKind: 'key' | 'argument' | 'setting';
  readonly report: Report;
  /** The name of the value at a path, for messages; empty for the whole value. */
  readonly nameOf?: (path: Path) => string;
}

/** Checks a value of a file by a schema, and reports every issue as a problem. */
export function checkSchema(schema: z.ZodType, value: unknown, options: IssueOptions): void {
  const known = fieldsOfSchema(schema);
  reportIssues(schema.safeParse(value).error?.issues ?? [], value, () => known, options);
}

/**
 * Reports the issues that a schema found in a value.
 *
 * @param knownAt - The keys that the record at a path can have.
 */
export function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  knownAt: (path: Path) => readonly string[],
  { place, keyKind, report, nameOf = (path) => path.join('.') }: IssueOptions,
): void {
  const found = issues.map((issue) => ({ issue, path: pathOfIssue(issue) }));
  const isMissing = (path: Path): boolean => memberAt(value, path) === undefined;
  // A key that is present already is not what the author meant by another one.
  const unusedAt = (path: Path): readonly string[] =>
    knownAt(path).filter((name) => isMissing([...path, name]));
  const unknown = found.flatMap(({ issue, path }) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ key, path })) : [],
  );
  const intended = unknown.map(({ key, path }): string | undefined => {
    const likely = resolveAlias(key, knownAt(path), unusedAt(path));
    if (likely !== undefined || unknown.length > 1) return likely;
    // The only unknown key and the only missing key belong together.
    const missing = found.filter(
      (other) =>
        other.path.length === path.length + 1 && isMissing(other.path) && startsWith(other.path, path),
    );
    return missing.length === 1 ? String(missing[0]?.path.at(-1)) : undefined;
  });
  const misspelled = new Set(unknown.map(({ path }, index) => [...path, intended[index]].join('\n')));
  unknown.forEach(({ key, path }, index) => {
    const likely = intended[index];
    const hint =
      (keyKind === 'argument' && path.length === 0 ? adviceOnKey(key, 'argument') : undefined) ??
      (didYouMeanName(key, knownAt(path), unusedAt(path)) ||
        (likely === undefined ? '' : `; did you mean "${likely}"?`));
    report(unknownKey(keyKind, [...place, ...path, key], hint));
  });
  for (const { issue, path } of found) {
    if (issue.code === 'unrecognized_keys') continue;
    // A misspelled key is not reported as missing as well.
    if (isMissing(path) && misspelled.has(path.join('\n'))) continue;
    const name = nameOf(path);
    const missing = isMissing(path) && name !== '';
    const subject = missing ? `missing ${keyKind} "${name}": ` : name === '' ? '' : `${name}: `;
    report({
      code: missing ? 'rule/missing-key' : codeOfIssue(issue, path),
      path: [...place, ...path],
      message: subject + issue.message,
      ...(needsQuotes(issue, memberAt(value, path)) && { needsQuotes: true }),
    });
  }
}

/** The only own checks of a schedule are those of its cron fields and its time zone. */
function codeOfIssue({ code }: z.core.$ZodIssue, path: Path): ErrorCode {
  return code === 'custom' && /^(?:schedule|timezone)$/.test(String(path.at(-1)))
    ? 'rule/invalid-schedule'
    : 'rule/invalid-value';
}

/** A bare `~` or `null` is nothing, and no text. Bare numbers and truth values are texts already (`withTextsAsWritten`). */
function needsQuotes(issue: z.core.$ZodIssue, given: unknown): boolean {
  return given === null && issue.code === 'invalid_type' && issue.expected === 'string';
}

function pathOfIssue({ path }: z.core.$ZodIssue): Path {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((part, index) => path[index] === part);
}

function memberAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, name) => member(inner, String(name)), value);
}

/** The names of the fields of an object schema. */
function fieldsOfSchema(schema: z.ZodType): string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape)
    : [];
}
