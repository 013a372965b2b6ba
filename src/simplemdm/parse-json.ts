import { withoutSecrets } from './secrets.js';

/** A string or a number, as a whole: the digits behind a decimal point are no number of their own. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON. An integer that JSON.parse would round (an ICCID as a number) becomes text with all its digits. Drops the secrets of
 * devices unless `revealSecrets` is on.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string, revealSecrets: boolean): unknown {
  const exact = /\d{16}/.test(text) ? text.replace(STRING_OR_NUMBER, quotedIfRounded) : text;
  const value: unknown = JSON.parse(exact, revealSecrets ? undefined : withoutSecrets);
  return value;
}

function quotedIfRounded(token: string): string {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
