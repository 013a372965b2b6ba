import type { z } from 'zod';
import type { Path } from './model/problem.js';
import type { ActionSignature, Shape } from './model/vocabulary.js';
import { member } from './model/values.js';

/** Returns the text of a bare number or truth value as the file has it; undefined when the file has something else there. */
export type TakeText = (path: Path) => string | undefined;

/**
 * Puts the written text in each place where a schema wants a text and YAML reads a number or a truth value: `000123` stays `000123`.
 *
 * The issues of the schema name these places, so every text of every schema is covered. Other numbers stay numbers.
 *
 * @param place - The path of the value in its file.
 */
export function withTextsAsWritten(
  schema: z.ZodType,
  value: unknown,
  place: Path,
  takeText: TakeText,
): unknown {
  let repaired = value;
  // A union shows the issues of its branches one level at a time; each round replaces at least one value by a text.
  for (;;) {
    const issues = schema.safeParse(repaired).error?.issues ?? [];
    const replacements = issues
      .flatMap((issue) => wantedTexts(issue, []))
      .flatMap((path) => {
        const given = path.reduce<unknown>((inner, name) => member(inner, String(name)), repaired);
        if (typeof given !== 'number' && typeof given !== 'boolean') return [];
        const text = takeText([...place, ...path]);
        return text === undefined ? [] : [{ path, text }];
      });
    if (replacements.length === 0) return repaired;
    for (const { path, text } of replacements) repaired = withValueAt(repaired, path, text);
  }
}

/** {@link withTextsAsWritten} for the arguments of an action; `shorthand` is where the one argument of `log: 007` stands. */
export function argumentsAsWritten(
  { args, shorthand }: ActionSignature,
  given: unknown,
  place: Path,
  takeText: TakeText,
): unknown {
  if (typeof given === 'object' || shorthand === undefined)
    return withTextsAsWritten(args, given, place, takeText);
  return member(withTextsAsWritten(args, { [shorthand]: given }, place, takeText), shorthand);
}

/** Puts the written text in each place where a fact or an output is a text. */
export function factsAsWritten(value: unknown, shape: Shape, place: Path, takeText: TakeText): unknown {
  if (shape === 'string' || shape === 'time' || (typeof shape === 'object' && 'oneOf' in shape))
    return typeof value === 'number' || typeof value === 'boolean' ? (takeText(place) ?? value) : value;
  if (typeof shape === 'string' || typeof value !== 'object' || value === null) return value;
  // The rows of a lookup come from its file or its service.
  if ('tableOf' in shape) return value;
  if ('list' in shape) {
    return Array.isArray(value)
      ? value.map((item, index) => factsAsWritten(item, shape.list, [...place, index], takeText))
      : value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const of =
        'mapOf' in shape ? shape.mapOf : Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
      return [name, of === undefined ? inner : factsAsWritten(inner, of, [...place, name], takeText)];
    }),
  );
}

/** The paths at which an issue wants a text and nothing but a text. */
function wantedTexts(issue: z.core.$ZodIssue, outer: Path): Path[] {
  const path = [...outer, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (issue.code === 'invalid_type') return issue.expected === 'string' ? [path] : [];
  if (issue.code !== 'invalid_union') return [];
  return issue.errors.flatMap((branch) => branch.flatMap((inner) => wantedTexts(inner, path)));
}

function withValueAt(value: unknown, [name, ...rest]: Path, text: string): unknown {
  if (name === undefined) return text;
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      index === Number(name) ? withValueAt(item, rest, text) : item,
    );
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      key === String(name) ? withValueAt(inner, rest, text) : inner,
    ]),
  );
}
