import type { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import { didYouMean } from '../config/nearest-name.js';
import type { Path, Report } from './problem.js';
import type { Vocabulary } from './vocabulary.js';

/** Reports what a schema finds wrong with values of a file. */
export function checkAgainst(
  schema: z.ZodType,
  values: unknown,
  known: readonly string[],
  { place, what, report }: { readonly place: Path; readonly what: string; readonly report: Report },
): void {
  const parsed = schema.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    const path = [...place, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        report({
          path: [...path, key],
          atKey: true,
          message: `unknown ${what} "${key}"${didYouMean(key, known)}`,
        });
      }
    } else {
      report({ path, message: `${issue.path.join('.') || `${what}s`}: ${issue.message}` });
    }
  }
}

/** The names of the fields of an object schema. */
export function fieldsOfSchema(schema: z.ZodType): string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape)
    : [];
}

/** Reports variables of the environment that are not set. */
export function checkEnvReferences(text: string, vocabulary: Vocabulary, path: Path, report: Report): void {
  for (const name of new Set(envReferencesIn(text))) {
    if (!vocabulary.isEnvSet(name)) report({ path, message: `the environment variable ${name} is not set` });
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
