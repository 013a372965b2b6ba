/** Where a YAML scalar stands in its file. */
export interface ScalarSource {
  /** The whole file. */
  readonly text: string;
  /** The offsets of its start and end, quotes and block header included. */
  readonly start: number;
  readonly end: number;
  readonly form: 'plain' | 'single' | 'double' | 'block';
}

/**
 * Maps an offset in the value of a scalar to an offset in the file. The two differ by escapes, folded lines and block indentation.
 *
 * @param value - The value of the scalar.
 * @param offset - How many characters into the value.
 * @returns The offset in the file, never beyond the scalar.
 */
export function sourceOffset(source: ScalarSource, value: string, offset: number): number {
  const { text, end, form } = source;
  const indent = form === 'block' ? blockIndent(source) : 0;
  let at = form === 'block' ? contentStart(source) : source.start + (form === 'plain' ? 0 : 1);
  if (form === 'block') at = skipIndent(text, at, indent);
  for (let index = 0; index < offset && at < end; index += 1) {
    const wanted = value[index];
    if (form === 'double' && text[at] === '\\') {
      const escape = escapeAt(text, at);
      at += escape.length;
      // A line continuation yields no character, a long escape two.
      index += escape.units - 1;
    } else if (form === 'single' && text.startsWith("''", at)) at += 2;
    else if (isSpace(wanted) && isBreak(text[at]))
      at = skipBreak(text, at, form === 'block' ? indent : undefined);
    else at += 1;
  }
  // An offset at a line break belongs to the start of the next line.
  while (at < end && isBreak(text[at])) at = skipBreak(text, at, form === 'block' ? indent : undefined);
  return Math.min(at, Math.max(end - 1, source.start));
}

const isBreak = (character: string | undefined): boolean => character === '\n' || character === '\r';
const isSpace = (character: string | undefined): boolean => character === ' ' || isBreak(character);

/** Skips line breaks and the indentation of the next line: all of it in flow scalars, the block's own in blocks. */
function skipBreak(text: string, from: number, indent: number | undefined): number {
  let at = from;
  while (isBreak(text[at])) {
    at += text.startsWith('\r\n', at) ? 2 : 1;
    if (indent !== undefined) return skipIndent(text, at, indent);
    while (text[at] === ' ' || text[at] === '\t') at += 1;
  }
  return at;
}

function skipIndent(text: string, from: number, indent: number): number {
  let at = from;
  while (at < from + indent && text[at] === ' ') at += 1;
  return at;
}

function contentStart({ text, start }: ScalarSource): number {
  const lineEnd = text.indexOf('\n', start);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}

function blockIndent(source: ScalarSource): number {
  const lines = source.text.slice(contentStart(source), source.end).split('\n');
  const first = lines.find((line) => line.trim() !== '') ?? '';
  return first.length - first.trimStart().length;
}

function escapeAt(text: string, at: number): { length: number; units: number } {
  const kind = text[at + 1];
  if (kind === 'x') return { length: 4, units: 1 };
  if (kind === 'u') return { length: 6, units: 1 };
  if (kind === 'U') return { length: 10, units: 2 };
  if (isBreak(kind)) return { length: skipBreak(text, at + 1, undefined) - at, units: 0 };
  return { length: 2, units: 1 };
}
