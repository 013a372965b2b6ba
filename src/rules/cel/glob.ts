/**
 * Whether a text matches a glob pattern: `*` matches any characters, `?` matches one, everything else itself. Case does not matter.
 * The time is at most proportional to the product of both lengths, whatever the pattern.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  const wanted = Array.from(pattern.toLowerCase());
  const given = Array.from(text.toLowerCase());
  let at = 0;
  let place = 0;
  let star = -1;
  let resume = 0;
  while (at < given.length) {
    if (wanted[place] === '*') {
      star = place;
      resume = at;
      place += 1;
    } else if (place < wanted.length && (wanted[place] === '?' || wanted[place] === given[at])) {
      place += 1;
      at += 1;
    } else if (star >= 0) {
      // The last star matches one more character.
      resume += 1;
      at = resume;
      place = star + 1;
    } else {
      return false;
    }
  }
  return wanted.slice(place).every((character) => character === '*');
}
