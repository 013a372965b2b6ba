/*
 * Characters in names from devices that move the cursor, break lines, or make a text look like another one.
 */

/** Control characters and line breaks of Unicode: C0, DEL, C1, U+2028, U+2029. */
const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';

/**
 * Bidirectional controls and characters without a width. The joiners U+200C and U+200D stay: emoji and some scripts need them. Tag
 * characters can hide a whole text.
 */
const INVISIBLE =
  '\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';

const CONTROLS = new RegExp(`[${CONTROL}]+`, 'gu');
const CONTROLS_EXCEPT_BREAKS = new RegExp(`(?![\\n\\t])[${CONTROL}]`, 'gu');
const INVISIBLES = new RegExp(`[${INVISIBLE}]`, 'gu');
const IN_JSON = new RegExp(`(?!\\n)[${CONTROL}${INVISIBLE}\\p{Surrogate}]`, 'gu');

/** Removes invisible characters. A lone surrogate, which cannot be encoded as UTF-8, becomes U+FFFD. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLES, '').replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A text on one line, without control characters and invisible ones. */
export function singleLine(text: string): string {
  return withoutInvisible(text.replace(CONTROLS, ' '));
}

/** A text without control characters and invisible ones. Line breaks and tabs stay. */
export function severalLines(text: string): string {
  return withoutInvisible(text.replace(CONTROLS_EXCEPT_BREAKS, ' '));
}

/** Most lines of a log have nothing to escape, and this check is much cheaper. */
const PLAIN = /^[ -~\n]*$/;

/** JSON with the same value, in which control characters and invisible ones are escape sequences. */
export function escapedJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(IN_JSON, (character) =>
    Array.from(
      { length: character.length },
      (_unit, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
