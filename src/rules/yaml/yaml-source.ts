import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { Document, Scalar } from 'yaml';
import { errorText } from '../../telemetry/error-text.js';
import { blanksFor } from './display-width.js';
import type { Path, Problem } from '../model/problem.js';
import { sourceOffset } from './scalar-offset.js';
import { problemsInYaml } from './yaml-problem.js';

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
    return `${file}:${line}:${col}: ${message}\n    ${source}\n    ${blanksFor(source.slice(0, col - 1))}^`;
  };
  const problems = problemsInYaml(document, text).map(({ offset, message }) => at(offset, message));
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
        .map((problem) => ({
          offset: offsetOf(document, text, problem),
          message: problem.message + asWritten(document, text, problem),
        }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, message }) => at(offset, message)),
    lineOf: (path) => lines.linePos(offsetOf(document, text, { path, message: '' })).line,
  };
}

function offsetOf(document: Document, text: string, problem: Problem): number {
  const { path, atKey = false, offset = 0 } = problem;
  const scalar = atKey ? undefined : scalarAt(document, path);
  if (scalar?.range) return placeIn(scalar, scalar.range, text, offset);
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const part = path.slice(0, depth);
    const node = depth === path.length && atKey ? keyNode(document, part) : document.getIn(part, true);
    // What an alias stands for may be far away; its own place is where a person looks first.
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** The value at a path; that of `log: hello` is also the one argument that it stands for. */
function scalarAt(document: Document, path: Path): Scalar | undefined {
  const node = document.getIn(path, true);
  if (isScalar(node) && !isAlias(node)) return node;
  if (node !== undefined || path.length === 0) return undefined;
  const outer = document.getIn(path.slice(0, -1), true);
  return isScalar(outer) && outer.value !== null && !isAlias(outer) ? outer : undefined;
}

/** What the file itself says more of a problem: how a number is written there, what YAML took for a comment. */
function asWritten(document: Document, text: string, { path, wantsText = false }: Problem): string {
  const scalar = scalarAt(document, path);
  if (scalar?.type !== 'PLAIN' || !scalar.range) return '';
  if (wantsText) return `; put it in quotes: "${scalar.source ?? ''}"`;
  const [, end] = scalar.range;
  const cut = /^[ \t]+(#.*)/.exec(text.slice(end))?.[1];
  const quotes = String(scalar.value).match(/"/g)?.length ?? 0;
  if (cut === undefined || quotes % 2 === 0) return '';
  return `: YAML takes the line from # on for a comment; put the whole of it in quotes: '${String(scalar.value)} ${cut.trim()}'`;
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
