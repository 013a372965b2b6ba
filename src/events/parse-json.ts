import { isChangedByJavaScript } from '../http/exact-numbers.js';
import { MAX_DEPTH } from './envelope.js';
import type { Oddity } from './oddity.js';

/** JSON as JavaScript can keep it. */
export interface ParsedJson {
  readonly value: unknown;
  /** What JavaScript, or the bound on nesting, would have changed silently. */
  readonly oddities: readonly Oddity[];
}

/**
 * Parses JSON and loses nothing: a number that JavaScript would round, or turn into Infinity, becomes the text that was sent, and a value
 * nested deeper than `MAX_DEPTH` becomes its JSON as text. Of a repeated name, the last value counts (RFC 8259, section 4).
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): ParsedJson {
  const value: unknown = JSON.parse(text);
  if (isKeptAsSent(text, value)) return { value, oddities: [] };
  const { rewritten, oddities } = scan(text);
  return { value: rewritten === undefined ? value : JSON.parse(rewritten), oddities };
}

/** A longer text could nest so deeply that writing it exhausts the stack. */
const MAX_COMPARED_LENGTH = 4096;

/**
 * Whether a value gives its text again. Then no number was changed and no name was repeated, so most webhooks need no scan: senders write
 * JSON without white space.
 */
function isKeptAsSent(text: string, value: unknown): boolean {
  return (
    text.length <= MAX_COMPARED_LENGTH && nestsAtMost(value, MAX_DEPTH) && JSON.stringify(value) === text
  );
}

function nestsAtMost(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  // A list or an object in the last level may hold scalars only.
  return levels > 1 && Object.values(value).every((member) => nestsAtMost(member, levels - 1));
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}[\],:]/g;
/** Recursive code meets one more level: the scalars in the innermost list or object. */
const MAX_OPEN = MAX_DEPTH - 1;

/** A list or an object that is open at a position in the text. */
interface Open {
  /** The names so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  expectsName: boolean;
}

/** Reads valid JSON token by token, without recursion: no depth can exhaust the stack. */
function scan(text: string): { rewritten: string | undefined; oddities: Oddity[] } {
  const open: Open[] = [];
  const numbers = new Set<string>();
  const repeated = new Set<string>();
  let rewritten = '';
  let copiedTo = 0;
  let nesting = 0;
  /** Where the value that nests too deeply starts, and how many of its lists and objects are open. */
  let deepStart = 0;
  let deepOpen = 0;
  const replace = (from: number, to: number, value: string): void => {
    rewritten += text.slice(copiedTo, from) + JSON.stringify(value);
    copiedTo = to;
  };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const end = index + token.length;
    if (token === '{' || token === '[') {
      if (deepOpen > 0 || open.length === MAX_OPEN) {
        if (deepOpen === 0) deepStart = index;
        deepOpen += 1;
      } else open.push({ names: token === '{' ? new Set() : undefined, expectsName: token === '{' });
      continue;
    }
    if (deepOpen > 0) {
      if (token !== '}' && token !== ']') continue;
      deepOpen -= 1;
      if (deepOpen > 0) continue;
      nesting += 1;
      replace(deepStart, end, text.slice(deepStart, end));
      continue;
    }
    const inner = open.at(-1);
    if (token === '}' || token === ']') open.pop();
    else if (token === ',' || token === ':') {
      if (inner?.names !== undefined) inner.expectsName = token === ',';
    } else if (token.startsWith('"')) {
      if (inner?.names === undefined || !inner.expectsName) continue;
      const name: unknown = JSON.parse(token);
      if (inner.names.has(String(name))) repeated.add(String(name));
      inner.names.add(String(name));
    } else if (isChangedByJavaScript(token)) {
      numbers.add(token);
      replace(index, end, token);
    }
  }
  return {
    rewritten: copiedTo === 0 ? undefined : rewritten + text.slice(copiedTo),
    oddities: [
      ...[...numbers].map((number): Oddity => ({
        kind: 'number',
        text: `the number ${number.slice(0, 40)} is too large to keep as a number, so it is kept as a text`,
      })),
      ...[...repeated].map((name): Oddity => ({
        kind: 'duplicate_key',
        text: `the name ${JSON.stringify(name.slice(0, 40))} occurs more than once in one object: the last value counts`,
      })),
      ...(nesting === 0
        ? []
        : [
            {
              kind: 'nesting' as const,
              text: `the JSON nests deeper than ${MAX_DEPTH} levels: the values below are kept as text`,
            },
          ]),
    ],
  };
}
