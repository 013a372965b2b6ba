import { didYouMean } from '../config/nearest-name.js';

/** Whether a rule's `on` pattern takes an event type. `*` stands for any characters, dots included. */
export function matchesType(pattern: string, type: string): boolean {
  if (!pattern.includes('*')) return pattern === type;
  const expression = pattern
    .split('*')
    .map((part) => part.replace(/\./g, '\\.'))
    .join('.*');
  return new RegExp(`^${expression}$`).test(type);
}

/**
 * Why a pattern is probably a typo, or undefined. Types that SimpleMDM adds later must pass, so only what looks
 * like a misspelt known type is refused.
 */
export function problemWithPattern(pattern: string, known: readonly string[]): string | undefined {
  if (pattern.includes('*') || known.includes(pattern)) return undefined;
  const hint = didYouMean(pattern, known);
  return hint === ''
    ? undefined
    : `unknown event type "${pattern}"${hint} (for a new type with a similar name write a pattern: "${pattern}*")`;
}
