/*
 * Makes text from devices and rules safe to display.
 */

import { withoutInvisible } from '../telemetry/deceptive-characters.js';

/** Control characters except the line break. */
// eslint-disable-next-line no-control-regex -- control characters are what the pattern looks for
const CONTROL_CHARACTERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

/** Removes deceptive characters and keeps line breaks. */
export function displayText(text: string): string {
  return withoutInvisible(
    text
      .replace(/\r\n?|\u0085|\u2028|\u2029/g, '\n')
      .replace(/\t/g, ' ')
      .replace(CONTROL_CHARACTERS, ''),
  );
}

/** {@link displayText} on one line, truncated; empty when no character is visible. */
export function displayLine(text: string, maxLength: number): string {
  const line = displayText(text).replace(/\s+/g, ' ').trim();
  return /[^\p{C}\p{Z}]/u.test(line) ? truncate(line, maxLength) : '';
}

/** An ISO 8601 time in UTC, to the second and without the zone: `2026-01-31 08:00:00`. */
export function displayTime(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

/** Truncates to a length in UTF-16 units, which most services count. Never splits a surrogate pair. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = maxLength - 1;
  const isHighSurrogate = /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, isHighSurrogate ? end - 1 : end)}…`;
}

/** The size of a string inside JSON, in bytes. */
export function bytesInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** Truncates to a size that `sizeOf` measures character by character. */
export function truncateToSize(text: string, maxSize: number, sizeOf: (text: string) => number): string {
  if (sizeOf(text) <= maxSize) return text;
  let left = maxSize - sizeOf('…');
  let end = 0;
  for (const character of text) {
    left -= sizeOf(character);
    if (left < 0) break;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}

/** Divides a size: each gets an equal share, and leaves what it does not need to the others. */
export function fairShares(needs: readonly number[], total: number): number[] {
  const shares = needs.map(() => 0);
  let left = Math.max(0, total);
  const smallestFirst = [...needs.entries()].sort(([, a], [, b]) => a - b);
  smallestFirst.forEach(([index, need], position) => {
    const share = Math.min(need, Math.floor(left / (needs.length - position)));
    shares[index] = share;
    left -= share;
  });
  return shares;
}
