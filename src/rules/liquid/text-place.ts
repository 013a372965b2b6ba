import { randomInt } from 'node:crypto';
import { encodeForHeader, encodeUrl } from './place-encoding.js';
import type { TextPart } from './place-encoding.js';

/**
 * Where the text of a template goes. It decides how values are encoded; what the author wrote stays as it is.
 *
 * - `text`: as it is. The action or the channel knows the format and escapes the whole text: JSON, form fields, messages.
 * - `url`: a URL. Values are encoded, and cannot be its scheme, host or port.
 * - `whole_url`: a URL that may be a value from its beginning. The action checks where the URL leads.
 * - `header`: the value of an HTTP header.
 * - `name`: a text that stands for one thing, such as a key or an address. With an empty value in it, the text would stand for another.
 */
export type TextPlace = 'text' | 'url' | 'whole_url' | 'header' | 'name';

/** Private-use characters that no value can contain on purpose: they differ in each process. */
const mark = (): string =>
  Array.from({ length: 8 }, () => String.fromCharCode(0xe000 + randomInt(0x1900))).join('');

const OPEN = mark();
const CLOSE = mark();
/** The percent sign of a filter such as `url_encode`: what the author encodes is not encoded again. */
export const ENCODED_PERCENT = mark();

/** Marks the beginning and the end of a value in a rendered text. */
export function markValue(value: string): string {
  return OPEN + value + CLOSE;
}

/**
 * Encodes the values of a rendered text for a place.
 *
 * @param rendered - With each value between the marks of {@link markValue}.
 * @throws Error when a value would change what the text means at this place.
 */
export function encodeForPlace(rendered: string, place: Exclude<TextPlace, 'text'>): string {
  const parts = partsOf(rendered);
  if (place === 'name') return wholeName(parts);
  if (place === 'header') return encodeForHeader(parts, ENCODED_PERCENT);
  return encodeUrl(parts, { encodedPercent: ENCODED_PERCENT, mayBeWhole: place === 'whole_url' });
}

function wholeName(parts: readonly TextPart[]): string {
  if (parts.some(({ text, isValue }) => isValue && text.trim() === ''))
    throw new Error('a value in it is empty');
  return parts.map(({ text }) => text).join('');
}

/** The parts of a rendered text. A value within a value, from `{% capture %}`, belongs to the outer one. */
function partsOf(rendered: string): TextPart[] {
  const parts: TextPart[] = [];
  let depth = 0;
  let value = '';
  for (const piece of rendered.split(new RegExp(`(${OPEN}|${CLOSE})`))) {
    if (piece === OPEN) depth += 1;
    else if (piece === CLOSE) {
      depth -= 1;
      if (depth > 0) continue;
      parts.push({ text: value, isValue: true });
      value = '';
    } else if (depth > 0) value += piece;
    else if (piece !== '') parts.push({ text: piece, isValue: false });
  }
  return parts;
}
