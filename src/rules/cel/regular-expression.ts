import { RE2JS } from 're2js';
import { errorText } from '../../telemetry/error-text.js';

/** Patterns come from rules, of which there is a bounded number; one that is put together of values must not fill the memory. */
const MOST_KEPT = 1000;
const kept = new Map<string, RE2JS>();

/**
 * Whether a pattern is found in a text. RE2 syntax, as CEL asks for: it takes time in proportion to the text, whatever the pattern.
 * JavaScript's own expressions can take for ever.
 *
 * @param spend - Told how many steps it takes at most, before it takes them.
 * @throws RE2JSException for a pattern that is none.
 */
export function matchesPattern(text: string, pattern: string, spend: (steps: number) => void): boolean {
  let compiled = kept.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(pattern, compiled);
  }
  // A character takes the longer the more the pattern has to keep in mind.
  spend(text.length * (1 + compiled.programSize() / 20));
  return compiled.matcher(text).find();
}

/** What is wrong with a pattern, if anything. */
export function problemWithRegularExpression(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `"${pattern}" is no regular expression (RE2): ${errorText(error)}`;
  }
}
