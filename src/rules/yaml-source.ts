import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Scalar } from 'yaml';
import { errorText } from '../telemetry/error-text.js';
import type { Path, Problem } from './problem.js';
import { sourceOffset } from './scalar-offset.js';

/** A YAML file parsed with its positions kept. */
export interface YamlSource {
  readonly value: unknown;
  /** What keeps the file from being read at all; empty when it could be. */
  readonly problems: readonly string[];
  /** `file:line:column: message`, the line itself, and a caret below the place. */
  readonly describe: (problem: Problem) => string;
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
    return `${file}:${line}:${col}: ${message}\n    ${source}\n    ${' '.repeat(col - 1)}^`;
  };
  const problems = document.errors.map((error) => at(error.pos[0], error.message));
  visit(document, {
    Alias: (_key, alias) => {
      if (document.errors.length > 0 || alias.resolve(document) !== undefined) return;
      problems.push(at(alias.range?.[0] ?? 0, `a text that begins with * needs quotes: "*${alias.source}"`));
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
  return { value, problems, describe: (problem) => at(offsetOf(document, text, problem), problem.message) };
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
