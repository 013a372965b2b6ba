import { LineCounter, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { Path, Problem } from './problem.js';

/** A YAML file parsed with its positions kept. */
export interface YamlSource {
  readonly value: unknown;
  /** What keeps the file from being read at all; empty when it could be. */
  readonly problems: readonly string[];
  /** `file:line:column: message`, the line itself, and a caret below the place. */
  readonly describe: (problem: Problem) => string;
}

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
  return {
    value: problems.length === 0 ? toValue(document) : undefined,
    problems,
    describe: (problem) => at(offsetOf(document, problem), problem.message),
  };
}

function toValue(document: Document): unknown {
  // A bounded alias count: a "billion laughs" file must not fill the memory.
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  return value;
}

function offsetOf(document: Document, { path, atKey = false, offset = 0 }: Problem): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const part = path.slice(0, depth);
    const exact = depth === path.length;
    const node = exact && atKey ? keyNode(document, part) : document.getIn(part, true);
    if (!isNode(node) || !node.range) continue;
    return node.range[0] + (exact ? textStart(node) + offset : 0);
  }
  return 0;
}

function keyNode(document: Document, path: Path): unknown {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const key = path.at(-1);
  return parent.items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
}

/** Where the text of a scalar begins: behind its quote, or on the line below the `|` of a block. */
function textStart(node: unknown): number {
  if (!isScalar(node)) return 0;
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return 1;
  return 0;
}
