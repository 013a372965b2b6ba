import { distance } from 'fastest-levenshtein';

/**
 * The candidate closest to a misspelt name, for "did you mean" messages.
 *
 * @returns The nearest candidate, or undefined when none is close enough to be a likely typo
 * (an edit distance of more than a third of the name's length, at least 2).
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const bound = Math.max(2, Math.floor(name.length / 3));
  let nearest: string | undefined;
  let nearestDistance = bound + 1;
  for (const candidate of candidates) {
    const found = distance(name.toLowerCase(), candidate.toLowerCase());
    if (found < nearestDistance) {
      nearest = candidate;
      nearestDistance = found;
    }
  }
  return nearest;
}

/** `; did you mean "x"?`, or nothing when no candidate is close. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}
