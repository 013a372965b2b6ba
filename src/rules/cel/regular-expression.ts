import { RE2JS } from 're2js';
import { errorText } from '../../telemetry/error-text.js';

/** Bounds the cache: a pattern built from values could otherwise fill the memory. */
const MAX_CACHED = 1000;
const cache = new Map<string, RE2JS>();

/**
 * Whether a pattern occurs in a text. RE2 syntax, as CEL requires: the time is proportional to the text, whatever the pattern.
 * JavaScript's own regular expressions can take exponential time.
 *
 * @param spend - Receives the maximum number of steps before they are taken.
 * @throws RE2JSException for an invalid pattern.
 */
export function matchesPattern(text: string, pattern: string, spend: (steps: number) => void): boolean {
  let compiled = cache.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(pattern, compiled);
  }
  // The cost per character grows with the size of the pattern.
  spend(text.length * (1 + compiled.programSize() / 20));
  return compiled.matcher(text).find();
}

/** The problem with a pattern, if any. */
export function problemWithRegularExpression(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    const why = errorText(error).replace(/^error parsing regexp: /, '');
    return `"${pattern}" is not a valid regular expression (RE2): ${why}`;
  }
}
