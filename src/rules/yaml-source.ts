import { LineCounter, isAlias, isCollection, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Scalar, YAMLError } from 'yaml';
import { errorText } from '../telemetry/error-text.js';
import type { Path, Problem } from './problem.js';
import { sourceOffset } from './scalar-offset.js';

/** A YAML file parsed with its positions kept. */
export interface YamlSource {
  readonly value: unknown;
  /** What keeps the file from being read at all; empty when it could be. */
  readonly problems: readonly string[];
  /** Each as `file:line:column: message`, the line itself, and a caret below the place; in the order of the file. */
  readonly describe: (problems: readonly Problem[]) => string[];
  /** The line, from 1, at which something stands. */
  readonly lineOf: (path: Path) => number;
}

/** A "billion laughs" file must not fill the memory. */
const MOST_ALIASES = 100;

/** Parses a YAML file so that later problems can be told with their place. */
export function parseYamlSource(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string): string => {
    const { line, col } = lines.linePos(offset);
    const source = text.split(/\r?\n/)[line - 1] ?? '';
    if (source.trim() === '') return `${file}:${line}:${col}: ${message}`;
    return `${file}:${line}:${col}: ${message}\n    ${source}\n    ${source.slice(0, col - 1).replace(/[^\t]/g, ' ')}^`;
  };
  const problems = document.errors.map((error) => at(error.pos[0], yamlProblem(error, text)));
  visit(document, {
    Alias: (_key, alias) => {
      if (document.errors.length > 0 || alias.resolve(document) !== undefined) return;
      problems.push(at(alias.range?.[0] ?? 0, `a text that begins with * needs quotes: "*${alias.source}"`));
    },
    Pair: (_key, { key }) => {
      if (!isCollection(key)) return;
      problems.push(at(key.range?.[0] ?? 0, `a text with {{ }} needs quotes: '{{ … }}'`));
    },
    Scalar: (_key, { tag, source = '', range }) => {
      if (!tag?.startsWith('!')) return;
      const written = `${tag} ${source}`.trim();
      // The tag stands before what the node itself takes in.
      const start = text.lastIndexOf(tag, range?.[0]);
      problems.push(at(Math.max(start, 0), `a text that begins with ! needs quotes: "${written}"`));
    },
  });
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: MOST_ALIASES });
    } catch (error) {
      problems.push(at(0, errorText(error)));
    }
  }
  return {
    value,
    problems,
    describe: (found) =>
      found
        .map((problem) => ({ offset: offsetOf(document, text, problem), message: problem.message }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, message }) => at(offset, message)),
    lineOf: (path) => lines.linePos(offsetOf(document, text, { path, message: '' })).line,
  };
}

/** What the library found wrong, with what to do about it. */
function yamlProblem({ code, message, pos: [start] }: YAMLError, text: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `the key "${/^["']?([^"':]*)/.exec(text.slice(start))?.[1] ?? ''}" stands here twice`;
    case 'TAB_AS_INDENT':
      return 'tabs are not allowed as indentation: use spaces';
    case 'BAD_ALIAS':
      return message.startsWith('Alias cannot be') ? 'a text that begins with * needs quotes: "*"' : message;
    case 'BAD_SCALAR_START':
      return `a text that begins with ${text[start] ?? ''} needs quotes`;
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a text with ": " in it needs quotes; or the next line is indented too far';
    case 'BAD_INDENT': {
      const open = /must be sufficiently indented and end with a ([\]}])$/.exec(message)?.[1];
      return open === undefined
        ? 'this is indented otherwise than the lines that it belongs to'
        : `a bracket is not closed: ${open} is missing`;
    }
    case 'MISSING_CHAR': {
      const quote = /^Missing closing (["'])quote$/.exec(message)?.[1];
      return quote === undefined ? message : `a quote is not closed: ${quote} is missing`;
    }
    case 'MULTIPLE_DOCS':
      return 'a file is one document: remove the "---"';
    case 'UNEXPECTED_TOKEN':
      return /["']\s*$/.test(text.slice(0, start))
        ? 'nothing can follow a closing quote: put the whole of it in quotes of the other kind'
        : message;
    default:
      return message;
  }
}

function offsetOf(document: Document, text: string, { path, atKey = false, offset = 0 }: Problem): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const part = path.slice(0, depth);
    const exact = depth === path.length;
    const node = exact && atKey ? keyNode(document, part) : document.getIn(part, true);
    if (!isNode(node) || !node.range) continue;
    // What an alias stands for may be far away; its own place is where a person looks first.
    return exact && isScalar(node) && !isAlias(node)
      ? placeIn(node, node.range, text, offset)
      : node.range[0];
  }
  return 0;
}

function placeIn(
  node: Scalar,
  [start, end]: readonly [number, number, number],
  text: string,
  offset: number,
): number {
  if (typeof node.value !== 'string') return start;
  const form =
    node.type === 'QUOTE_DOUBLE'
      ? 'double'
      : node.type === 'QUOTE_SINGLE'
        ? 'single'
        : node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
          ? 'block'
          : 'plain';
  // A problem of the whole value points at its beginning, quote and all, unless it is an expression's.
  return sourceOffset({ text, start, end, form }, node.value, offset);
}

function keyNode(document: Document, path: Path): unknown {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const key = path.at(-1);
  return parent.items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
}
