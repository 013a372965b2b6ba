/** A text, a number or a literal in JSON. */
export interface JsonScalar {
  readonly start: number;
  readonly end: number;
  /** A text without its quotes and escapes; a number as it is written. */
  readonly value: string;
  readonly isText: boolean;
  /** Whether it is the value of one of the names, or anywhere below it. */
  readonly isBelowName: boolean;
}

/** A text may lack its end: the JSON may be cut off. */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*(?:"|\\?$)|[{}[\],:]|[^\s"{}[\],:]+/g;

/** A list or an object that is open at a position in the text. */
interface Open {
  readonly isObject: boolean;
  readonly isBelowName: boolean;
  expectsName: boolean;
  isNamed: boolean;
}

/**
 * The scalars in a text that is JSON or the beginning of JSON, in order. Reads token by token: a text that was cut off has the same scalars
 * up to there. Empty when the text does not begin as an object or a list.
 *
 * @param isName - Whether the value of a name is wanted.
 */
export function jsonScalars(text: string, isName: (name: string) => boolean): JsonScalar[] {
  if (!/^\s*[{[]/.test(text)) return [];
  const scalars: JsonScalar[] = [];
  const open: Open[] = [];
  for (const { 0: token, index: start } of text.matchAll(TOKEN)) {
    const inner = open.at(-1);
    const isBelowName = inner !== undefined && (inner.isBelowName || inner.isNamed);
    if (token === '{' || token === '[') {
      const isObject = token === '{';
      open.push({ isObject, isBelowName, expectsName: isObject, isNamed: false });
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',') {
      if (inner?.isObject === true) [inner.expectsName, inner.isNamed] = [true, false];
    } else if (token !== ':') {
      const isText = token.startsWith('"');
      const value = isText ? textOf(token) : token;
      if (inner?.expectsName === true) [inner.expectsName, inner.isNamed] = [false, isName(value)];
      else scalars.push({ start, end: start + token.length, value, isText, isBelowName });
    }
  }
  return scalars;
}

/** The text of a JSON string that may be cut off, or not quite valid. */
function textOf(token: string): string {
  const inner = token.length > 1 && /[^\\](?:\\\\)*"$/.test(token) ? token.slice(1, -1) : token.slice(1);
  const whole = inner.replace(/\\(?:u[0-9a-f]{0,3})?$/i, '');
  for (const candidate of [inner, whole]) {
    try {
      return String(JSON.parse(`"${candidate}"`));
    } catch {
      // Tried without the escape that is cut off; else as it is written.
    }
  }
  return inner;
}
