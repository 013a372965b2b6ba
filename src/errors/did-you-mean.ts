import { distance } from 'fastest-levenshtein';

/**
 * The candidate closest to a misspelled name, for "did you mean" messages.
 *
 * @returns The nearest candidate within an edit distance of a third of the length of the name (at least 2), or undefined.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  let nearest: string | undefined;
  let nearestDistance = maxDistance + 1;
  for (const candidate of candidates) {
    const candidateDistance = distance(name.toLowerCase(), candidate.toLowerCase());
    if (candidateDistance < nearestDistance) {
      nearest = candidate;
      nearestDistance = candidateDistance;
    }
  }
  return nearest;
}

/** `; did you mean "x"?`, or an empty string when no candidate is close. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}
