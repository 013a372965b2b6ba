import type { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import { didYouMeanName, resolveAlias } from './aliases.js';
import type { Path, Report } from './model/problem.js';
import { member } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';

/** How what a schema finds wrong is told. */
interface ReportOptions {
  readonly place: Path;
  /** What a key is: an `argument`, a `setting`. */
  readonly what: string;
  readonly report: Report;
  /** What the value at a path is called in messages; nothing for the whole. */
  readonly nameOf?: (path: Path) => string;
}

/** Reports what a schema finds wrong with values of a file. */
export function checkAgainst(
  schema: z.ZodType,
  values: unknown,
  known: readonly string[],
  telling: ReportOptions,
): void {
  reportIssues(schema.safeParse(values).error?.issues ?? [], values, () => known, telling);
}

/**
 * Reports what a schema found wrong with values.
 *
 * @param knownAt - The names that the record at a path can have.
 */
export function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  values: unknown,
  knownAt: (path: Path) => readonly string[],
  { place, what, report, nameOf = (path) => path.join('.') }: ReportOptions,
): void {
  const found = issues.map((issue) => ({ issue, within: pathOfIssue(issue) }));
  const isMissing = (path: Path): boolean => memberAt(values, path) === undefined;
  // What is there already was not meant.
  const freeAt = (path: Path): readonly string[] =>
    knownAt(path).filter((name) => isMissing([...path, name]));
  const unknown = found.flatMap(({ issue, within }) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ key, within })) : [],
  );
  const meant = unknown.map(({ key, within }): string | undefined => {
    const likely = resolveAlias(key, knownAt(within), freeAt(within));
    if (likely !== undefined || unknown.length > 1) return likely;
    // One name that is not known and one that is missing belong together.
    const missing = found.filter(
      ({ within: path }) => path.length === within.length + 1 && isMissing(path) && startsWith(path, within),
    );
    return missing.length === 1 ? String(missing[0]?.within.at(-1)) : undefined;
  });
  const misspelt = new Set(unknown.map(({ within }, index) => [...within, meant[index]].join('\n')));
  unknown.forEach(({ key, within }, index) => {
    const likely = meant[index];
    const hint =
      didYouMeanName(key, knownAt(within), freeAt(within)) ||
      (likely === undefined ? '' : `; did you mean "${likely}"?`);
    report({ path: [...place, ...within, key], atKey: true, message: `unknown ${what} "${key}"${hint}` });
  });
  for (const { issue, within } of found) {
    if (issue.code === 'unrecognized_keys') continue;
    // One that is only misspelt is not missing as well.
    if (isMissing(within) && misspelt.has(within.join('\n'))) continue;
    const called = nameOf(within);
    const given = memberAt(values, within);
    report({
      path: [...place, ...within],
      message: called === '' ? issue.message : `${called}: ${issue.message}`,
      ...(issue.code === 'invalid_type' &&
        issue.expected === 'string' &&
        // A bare number has no unit and is no expression, in quotes or not.
        !(typeof given === 'number' && NO_NUMBERS.test(issue.message)) &&
        (typeof given === 'number' || typeof given === 'boolean') && { wantsText: true }),
    });
  }
}

const NO_NUMBERS = /^expected (?:an expression|a time such as)/;

function pathOfIssue({ path }: z.core.$ZodIssue): Path {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((part, index) => path[index] === part);
}

function memberAt(values: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, name) => member(inner, String(name)), values);
}

/** The names of the fields of an object schema. */
export function fieldsOfSchema(schema: z.ZodType): string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape)
    : [];
}

/** How shells and Compose files name a variable. */
const SHELL_REFERENCE = /\$\{([A-Z][A-Z0-9_]*)\}/g;

/** Reports variables of the environment that are not set. */
export function checkEnvReferences(
  text: string,
  vocabulary: Vocabulary,
  path: Path,
  { report, warn }: { readonly report: Report; readonly warn: Report },
): void {
  for (const name of new Set(envReferencesIn(text))) {
    if (!vocabulary.isEnvSet(name))
      report({ path, message: `the environment variable ${name} is not set: set it, or write it into .env` });
  }
  for (const { 1: name = '', index } of text.matchAll(SHELL_REFERENCE)) {
    const message = `\${${name}} is sent as it stands here; did you mean "\${env:${name}}"?`;
    warn({ path, offset: index, message });
  }
}

/** Visits every text in a value, with its place. */
export function forEachText(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) value.forEach((item, index) => forEachText(item, [...path, index], visit));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) forEachText(member, [...path, key], visit);
  }
}
