import type { ASTNode } from '@marcbachmann/cel-js';
import { BOUNDED, SPEND } from './cost-budget.js';
import { operandsOf } from './expression-paths.js';

/** Macros that evaluate an argument once for each item of a list. */
const LOOPS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
/** Steps of a turn and of a call; what takes long texts apart takes longer. */
const COST_OF_A_TURN = 10;
const COST_OF_A_CALL = 10;
const COSTS: Readonly<Record<string, number>> = { split: 1000, join: 100 };

/**
 * The text of an expression in which each turn of a loop takes steps off the budget before it is evaluated, and what `map` and `bind`
 * build up is measured. It means the same otherwise, and errors of an argument are those of the argument.
 *
 * @param ast - The expression parsed.
 */
export function instrumentCost(ast: ASTNode): string {
  const insertions = insertionsIn(ast).sort((a, b) => a.at - b.at);
  let text = '';
  let done = 0;
  for (const { at, inserted } of insertions) {
    text += ast.input.slice(done, at) + inserted;
    done = at;
  }
  return text + ast.input.slice(done);
}

interface Insertion {
  readonly at: number;
  readonly inserted: string;
}

/** Those of an outer call enclose those of inner ones: they are put down before and after them. */
function insertionsIn(node: ASTNode): Insertion[] {
  if (node.op !== 'rcall') return operandsOf(node).flatMap(insertionsIn);
  const [name, receiver, args] = node.args;
  const isBind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel';
  const around = (argument: ASTNode, index: number): { before: string; after: string } => {
    const isLast = index === args.length - 1;
    if (isBind) return index === 1 ? { before: `${BOUNDED}(`, after: ')' } : { before: '', after: '' };
    if (!LOOPS.has(name) || index === 0) return { before: '', after: '' };
    const [open, close] = name === 'map' && isLast ? [`${BOUNDED}(`, ')'] : ['(', ')'];
    return {
      before: `${SPEND}(${COST_OF_A_TURN + costOf(argument)}) ? ${open}`,
      after: `${close} : dyn(null)`,
    };
  };
  const inner = args.flatMap((argument, index): Insertion[] => {
    const { before, after } = around(argument, index);
    const within = insertionsIn(argument);
    if (before === '') return within;
    const previous = args[index - 1];
    const next = args[index + 1];
    // Parentheses around an argument do not belong to its range: it reaches from comma to comma.
    const start =
      previous === undefined ? argument.range.start : commaAfter(node.input, previous.range.end) + 1;
    const end = next === undefined ? node.range.end - 1 : commaAfter(node.input, argument.range.end);
    return [{ at: start, inserted: before }, ...within, { at: end, inserted: after }];
  });
  return [...insertionsIn(receiver), ...inner];
}

function costOf(node: ASTNode): number {
  const own = node.op === 'rcall' ? (COSTS[node.args[0]] ?? COST_OF_A_CALL) : 1;
  return operandsOf(node).reduce((sum, operand) => sum + costOf(operand), own);
}

/** Where the comma stands behind an argument; what a comment says does not count. */
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
