import type { ASTNode } from '@marcbachmann/cel-js';
import { BOUNDED, KNOWN, KNOWN_ITEMS, SPEND } from './cost-budget.js';
import { operandsOf } from './expression-paths.js';

/** Macros that evaluate an argument once for each item of a list. */
const LOOPS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
/** Steps per iteration and per call. Functions that split long texts cost more. */
const ITERATION_COST = 10;
const CALL_COST = 10;
const CALL_COSTS: Readonly<Record<string, number>> = { split: 1000, join: 100 };

/**
 * Rewrites an expression so that each iteration of a loop is charged to the cost budget before it runs, and the values that `map` and
 * `bind` build are measured. The result and the errors stay the same, but for a null: one that is compared is unknown, and `has(…)` of one
 * is false.
 *
 * @param ast - The parsed expression.
 */
export function instrumentCost(ast: ASTNode): string {
  const insertions = insertionsIn(ast).sort((a, b) => a.at - b.at);
  let text = '';
  let copied = 0;
  for (const { at, inserted } of insertions) {
    text += ast.input.slice(copied, at) + inserted;
    copied = at;
  }
  return text + ast.input.slice(copied);
}

interface Insertion {
  readonly at: number;
  readonly inserted: string;
}

/** The insertions of an outer call enclose those of inner calls. */
function insertionsIn(node: ASTNode): Insertion[] {
  if (node.op === 'call' && node.args[0] === 'has') return askedForNull(node.range, node.args[1], node.input);
  if (node.op === 'in' || node.op === '==' || node.op === '!=') return insertionsInComparison(node);
  if (node.op !== 'rcall') return operandsOf(node).flatMap(insertionsIn);
  const [name, receiver, args] = node.args;
  const isBind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel';
  const around = (argument: ASTNode, index: number): { before: string; after: string } => {
    const isLast = index === args.length - 1;
    if (isBind) return index === 1 ? { before: `${BOUNDED}(`, after: ')' } : { before: '', after: '' };
    if (!LOOPS.has(name) || index === 0) return { before: '', after: '' };
    const [open, close] = name === 'map' && isLast ? [`${BOUNDED}(`, ')'] : ['(', ')'];
    return {
      before: `${SPEND}(${ITERATION_COST + costOf(argument)}) ? ${open}`,
      after: `${close} : dyn(null)`,
    };
  };
  const inner = args.flatMap((argument, index): Insertion[] => {
    const { before, after } = around(argument, index);
    const within = insertionsIn(argument);
    if (before === '') return within;
    const previous = args[index - 1];
    const next = args[index + 1];
    // The range of an argument excludes the parentheses around it, so insert at its commas.
    const start =
      previous === undefined ? argument.range.start : commaAfter(node.input, previous.range.end) + 1;
    const end = next === undefined ? node.range.end - 1 : commaAfter(node.input, argument.range.end);
    return [{ at: start, inserted: before }, ...within, { at: end, inserted: after }];
  });
  return [...insertionsIn(receiver), ...inner];
}

/** In the library, `has(x.y)` is true for a null. Here a null is no value, as for `x.y != null`. */
function askedForNull(
  { start, end }: ASTNode['range'],
  [argument]: readonly ASTNode[],
  text: string,
): Insertion[] {
  if (argument === undefined) return [];
  const tested = text.slice(argument.range.start, argument.range.end);
  return [
    { at: start, inserted: '(' },
    { at: end, inserted: ` && ${tested} != null)` },
  ];
}

/** In the library, null is in no list and equals null. Here null is unknown, unless the expression asks for it. */
function insertionsInComparison(node: ASTNode & { readonly op: 'in' | '==' | '!=' }): Insertion[] {
  const [left, right] = node.args;
  const asks = asksForNull(left) || asksForNull(right);
  const isKnown = asks || left.op === 'value' || right.op === 'value';
  return [
    ...(isKnown ? insertionsIn(left) : wrapped(left, KNOWN)),
    ...(asks || node.op !== 'in' ? insertionsIn(right) : wrapped(right, KNOWN_ITEMS)),
  ];
}

function wrapped(node: ASTNode, functionName: string): Insertion[] {
  return [
    { at: node.range.start, inserted: `${functionName}(` },
    ...insertionsIn(node),
    { at: node.range.end, inserted: ')' },
  ];
}

/** Whether an operand is a literal null, or a list that has one. */
function asksForNull(node: ASTNode): boolean {
  if (node.op === 'value') return node.args === null;
  return node.op === 'list' && node.args.some(({ op, args }) => op === 'value' && args === null);
}

function costOf(node: ASTNode): number {
  const own = node.op === 'rcall' ? (CALL_COSTS[node.args[0]] ?? CALL_COST) : 1;
  return operandsOf(node).reduce((sum, operand) => sum + costOf(operand), own);
}

/** The offset of the comma behind an argument, comments skipped. */
function commaAfter(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ',') {
    if (text.startsWith('//', at)) at = lineEnd(text, at);
    else at += 1;
  }
  return at;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
