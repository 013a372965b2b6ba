/**
 * Whether a text is what a pattern describes: `*` stands for any characters, `?` for one, everything else for itself.
 * Capitals do not matter. It takes time in proportion to both lengths multiplied at most, whatever the pattern.
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
      // The last star takes one character more.
      resume += 1;
      at = resume;
      place = star + 1;
    } else {
      return false;
    }
  }
  return wanted.slice(place).every((character) => character === '*');
}
