import { didYouMeanName, resolveAlias } from './aliases.js';
import type { Path, Problem, Report } from './model/problem.js';

/**
 * The problem of a key that its record does not have.
 *
 * @param keyKind - What the key is, for the message: `key`, `argument`.
 * @param path - Ends with the key.
 * @param hint - Stands at the end of the message, with its punctuation.
 */
export function unknownKey(keyKind: string, path: Path, hint: string): Problem {
  return {
    code: keyKind === 'argument' ? 'rule/unknown-argument' : 'rule/unknown-key',
    path,
    atKey: true,
    message: `unknown ${keyKind} "${String(path.at(-1))}"${hint}`,
  };
}

/**
 * Reports and drops unknown keys, so that they do not hide other problems.
 *
 * @param hintFor - What to say about a key instead of the nearest name.
 * @returns The remaining record, and the keys that the unknown ones were probably meant to be.
 */
export function withoutUnknownKeys(
  value: unknown,
  known: readonly string[],
  place: Path,
  report: Report,
  hintFor: (key: string) => string | undefined = () => undefined,
): { value: unknown; intended: ReadonlySet<string> } {
  const intended = new Set<string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value, intended };
  // A key that is present already is not what the author meant by another one.
  const unused = known.filter((name) => !Object.hasOwn(value, name));
  const entries = Object.entries(value).filter(([key]) => {
    if (known.includes(key)) return true;
    report(unknownKey('key', [...place, key], hintFor(key) ?? didYouMeanName(key, known, unused)));
    intended.add(resolveAlias(key, known, unused) ?? '');
    return false;
  });
  return { value: Object.fromEntries(entries), intended };
}
