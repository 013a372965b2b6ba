/** A string or a number, as a whole: digits in a string or behind a decimal point are no number of their own. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Whether a number may change. Most texts have none, and need no scan. */
const MAY_CHANGE = /\d{16}|\d[eE]/;

/**
 * JSON in which each number that JavaScript would change is text with all its digits: an integer that is rounded, such as an ICCID, and a
 * number that is too large (RFC 8259, section 6).
 *
 * @param json - Anything else comes back unchanged, or still is not JSON.
 */
export function withExactNumbers(json: string): string {
  if (!MAY_CHANGE.test(json)) return json;
  return json.replace(STRING_OR_NUMBER, (token) =>
    !token.startsWith('"') && isChangedByJavaScript(token) ? `"${token}"` : token,
  );
}

/** Whether JavaScript would change a JSON number. Fractions do not count: no fraction of JSON is meant to the last digit. */
export function isChangedByJavaScript(token: string): boolean {
  const number = Number(token);
  if (!Number.isFinite(number)) return true;
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(number) && String(number) !== token;
}
