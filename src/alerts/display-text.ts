/*
 * What comes from a device or from a rule, made fit to be shown to people.
 */

/** Control characters but the line break, and what turns the direction of writing: with those a name can show as something else than it is. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const DISGUISES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A text without what would disguise it, its lines kept. */
export function displayText(text: string): string {
  return (
    text
      .replace(/\r\n?|\u0085|\u2028|\u2029/g, '\n')
      .replace(/\t/g, ' ')
      .replace(DISGUISES, '')
      // Half a character cannot be sent as UTF-8.
      .replace(/\p{Surrogate}/gu, '\ufffd')
  );
}

/** The same on one line, cut to a length; empty when nothing of it can be seen. */
export function displayLine(text: string, most: number): string {
  const line = displayText(text).replace(/\s+/g, ' ').trim();
  return /[^\p{C}\p{Z}]/u.test(line) ? truncate(line, most) : '';
}

/** A text cut to a length in UTF-16 units, as most services count; a character is never cut in half. */
export function truncate(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most - 1;
  const isHalf = /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, isHalf ? end - 1 : end)}…`;
}

/** How many bytes a text takes up within JSON. */
export function bytesInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** A text cut to a size as something measures it, character by character. */
export function truncateToSize(text: string, most: number, sizeOf: (text: string) => number): string {
  if (sizeOf(text) <= most) return text;
  let left = most - sizeOf('…');
  let end = 0;
  for (const character of text) {
    left -= sizeOf(character);
    if (left < 0) break;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}

/** Texts cut so that all of them fit in a size: each has its share, and what one leaves over is for those after it. */
export function truncateToShare(
  texts: readonly string[],
  most: number,
  sizeOf: (text: string) => number,
): string[] {
  let left = most;
  return texts.map((text, index) => {
    const fitting = truncateToSize(text, Math.floor(left / (texts.length - index)), sizeOf);
    left -= sizeOf(fitting);
    return fitting;
  });
}
