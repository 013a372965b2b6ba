import type { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import { didYouMean, nearestName } from '../config/nearest-name.js';
import type { Path, Report } from './problem.js';
import { member } from './values.js';
import type { Vocabulary } from './vocabulary.js';

/** Reports what a schema finds wrong with values of a file. */
export function checkAgainst(
  schema: z.ZodType,
  values: unknown,
  known: readonly string[],
  {
    place,
    what,
    report,
    nameOf = (path) => path.join('.'),
  }: {
    readonly place: Path;
    readonly what: string;
    readonly report: Report;
    /** What the value at a path is called in messages; nothing for the whole. */
    readonly nameOf?: (path: Path) => string;
  },
): void {
  const issues = schema.safeParse(values).error?.issues ?? [];
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  const meant = new Set(unknown.map((key) => nearestName(key, known)));
  for (const issue of issues) {
    const within = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const path = [...place, ...within];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        report({
          path: [...path, key],
          atKey: true,
          message: `unknown ${what} "${key}"${didYouMean(key, known)}`,
        });
      }
      continue;
    }
    // One that is only misspelt is not missing as well.
    const [name, ...deeper] = within;
    if (
      deeper.length === 0 &&
      typeof name === 'string' &&
      meant.has(name) &&
      member(values, name) === undefined
    )
      continue;
    const called = nameOf(within);
    report({ path, message: called === '' ? issue.message : `${called}: ${issue.message}` });
  }
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
