import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { Document, Scalar } from 'yaml';
import { openWrittenForms } from './written-form.js';
import type { WrittenForms } from './written-form.js';
import type { UserProblem } from '../../errors/user-problem.js';
import { keepKeysAsWritten } from '../../config/yaml-keys.js';
import { errorText } from '../../telemetry/error-text.js';
import { blanksFor } from './display-width.js';
import { problemAt } from '../model/problem.js';
import type { Path, Problem, RuleProblem } from '../model/problem.js';
import { sourceOffset } from './scalar-offset.js';
import { problemsInYaml } from './yaml-problem.js';

/** A parsed YAML file that knows the position of every value. */
export interface YamlSource {
  readonly value: unknown;
  /** Why the file is unreadable; empty when it was parsed. */
  readonly problems: readonly RuleProblem[];
  /** Adds line, column and excerpt to problems, and sorts them by position. */
  readonly locate: (problems: readonly Problem[]) => RuleProblem[];
  /** The line of a value, from 1. */
  readonly lineOf: (path: Path) => number;
  /** The text of a bare number or truth value as the file has it, for a place that wants a text. */
  readonly takeText: WrittenForms['takeText'];
  /** The bare numbers that nothing took as a text, and that a number cannot hold as they are written. */
  readonly lostForms: () => RuleProblem[];
}

/** Bounds the memory that a file of nested aliases ("billion laughs") can take. */
const MAX_ALIASES = 100;

/**
 * Parses a YAML file and keeps the positions of its values.
 *
 * @param file - The name of the file, for messages.
 */
export function parseYamlSource(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, problem: UserProblem): RuleProblem => {
    const { line, col: column } = lines.linePos(offset);
    const source = text.split(/\r?\n/)[line - 1] ?? '';
    const excerpt =
      source.trim() === '' ? [] : [`    ${source}`, `    ${blanksFor(source.slice(0, column - 1))}^`];
    return problemAt({ file, line, column }, problem, excerpt);
  };
  const problems = problemsInYaml(document, text).map((problem) => at(problem.offset, problem));
  const forms = openWrittenForms(document);
  let value: unknown;
  if (problems.length === 0) {
    try {
      keepKeysAsWritten(document);
      value = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      problems.push(at(0, { code: 'rule/invalid-yaml', message: errorText(error) }));
    }
  }
  return {
    value,
    problems,
    locate: (found) =>
      found
        .map((problem) => ({
          offset: offsetOf(document, text, problem),
          problem: withYamlHint(document, text, problem),
        }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, problem }) => at(offset, problem)),
    lineOf: (path) => lines.linePos(offsetOf(document, text, { path })).line,
    takeText: forms.takeText,
    lostForms: () => forms.lost().map((problem) => at(problem.offset, problem)),
  };
}

function offsetOf(
  document: Document,
  text: string,
  { path, atKey = false, offset = 0 }: Pick<Problem, 'path' | 'atKey' | 'offset'>,
): number {
  const scalar = atKey ? undefined : scalarAt(document, path);
  if (scalar?.range) return offsetInScalar(scalar, scalar.range, text, offset);
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const part = path.slice(0, depth);
    const node = depth === path.length && atKey ? keyNode(document, part) : document.getIn(part, true);
    // The range of an alias is the alias itself; its anchor may be far away.
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** The scalar at a path. In `log: hello` the scalar also stands for the one argument of the action. */
function scalarAt(document: Document, path: Path): Scalar | undefined {
  const node = document.getIn(path, true);
  if (isScalar(node) && !isAlias(node)) return node;
  if (node !== undefined || path.length === 0) return undefined;
  const outer = document.getIn(path.slice(0, -1), true);
  return isScalar(outer) && outer.value !== null && !isAlias(outer) ? outer : undefined;
}

/** Adds what only the file shows: how a number is written, and what YAML reads as a comment. */
function withYamlHint(document: Document, text: string, problem: Problem): UserProblem {
  const { path, message, needsQuotes = false } = problem;
  const scalar = scalarAt(document, path);
  if (scalar?.type !== 'PLAIN' || !scalar.range) return problem;
  if (needsQuotes && (scalar.source ?? '') !== '') {
    return {
      code: 'rule/needs-quotes',
      message: `${message}; put it in quotes: "${scalar.source ?? ''}"`,
    };
  }
  const [, end] = scalar.range;
  const comment = /^[ \t]+(#.*)/.exec(text.slice(end))?.[1];
  const quotes = String(scalar.value).match(/"/g)?.length ?? 0;
  if (comment === undefined || quotes % 2 === 0) return problem;
  return {
    code: 'rule/needs-quotes',
    message: `${message}: YAML reads the rest of the line from # on as a comment; put the whole value in quotes: '${String(scalar.value)} ${comment.trim()}'`,
  };
}

function offsetInScalar(
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
  return sourceOffset({ text, start, end, form }, node.value, offset);
}

function keyNode(document: Document, path: Path): unknown {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const key = path.at(-1);
  return parent.items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
}
