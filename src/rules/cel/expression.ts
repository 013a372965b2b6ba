import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { evaluatingEnvironment } from './environment.js';
import { IN_GROUP, SAFE_MATCHES, withEvaluationContext, problemWithNetwork } from './functions.js';
import { instrumentCost } from './cost-instrumentation.js';
import { withCostBudget } from './cost-budget.js';
import { operandsOf, pathsAskedFor, pathsIn } from './expression-paths.js';
import { lintExpression } from './expression-lint.js';
import { codeOf, constantProblem, problemFrom, summaryOf } from './expression-problem.js';
import type { ExpressionProblem } from '../model/problem.js';
import { problemWithRegularExpression } from './regular-expression.js';
import { member, valueAt } from '../model/values.js';
import type { Values } from '../model/values.js';
import type { Shape } from '../model/vocabulary.js';

/** A compiled CEL expression, or a part of one. */
export interface Expression {
  readonly text: string;
  readonly ast: ASTNode;
  /** What is evaluated: it means the same, and can neither hang nor fill the memory. */
  readonly program: ParseResult;
  /** The paths that it names. */
  readonly paths: readonly string[][];
  /** Those whose last name a record may lack: it is null then. */
  readonly asked: readonly string[][];
  /** The CEL type of what it gives; `dyn` when that is known only at run time. */
  readonly type: string;
}

const evaluating = evaluatingEnvironment();

/**
 * Compiles an expression in the Common Expression Language.
 *
 * @param checking - From `checkingEnvironment`, with the names that may stand here.
 * @param shapes - The same names, for "did you mean".
 */
export function compileExpression(
  text: string,
  checking: Environment,
  shapes: Readonly<Record<string, Shape>>,
): Expression | ExpressionProblem {
  const variable = text.indexOf('${env:');
  if (variable >= 0) {
    return { message: '${env:…} does not work in conditions: write the value here', offset: variable };
  }
  const checked = checking.check(text);
  if (!checked.valid) return problemFrom(checked.error, text, shapes, checking);
  const expression = expressionOf(text, checked.type ?? 'dyn');
  return problemWithConstants(expression.ast) ?? lintExpression(expression.ast, shapes) ?? expression;
}

/**
 * An expression that has been checked, or a part of one.
 *
 * @throws ParseError when it is no expression by itself.
 */
export function expressionOf(text: string, type: string): Expression {
  const { ast } = evaluating.parse(withSafeMatches(text));
  return {
    text,
    ast,
    program: evaluating.parse(instrumentCost(ast)),
    paths: pathsIn(ast),
    asked: pathsAskedFor(ast),
    type,
  };
}

/**
 * What evaluates an expression and its parts: a name that a record lacks is null, and functions know the time and the group.
 *
 * @returns The values with their nulls, and a function that evaluates on them or throws what the library throws.
 */
export function evaluatorFor(
  { asked }: Expression,
  given: Values,
  now: Date,
): { values: Values; evaluate: (part: ParseResult) => unknown } {
  const values = withNulls(given, asked);
  return {
    values,
    evaluate: (part) =>
      withEvaluationContext({ now, group: values['group'] }, () =>
        withCostBudget((): unknown => part({ ...values })),
      ),
  };
}

/** What the library says when an operand is null where something else was expected: the condition is not known to be true. */
const UNKNOWN = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'invalid_comparison_type',
  'invalid_comprehension_range',
  'no_such_key',
  'unknown_variable',
]);

/** Whether an expression has no value because it met something that is not known, and not because something is wrong with it. */
export function isUnknown(error: unknown, { paths }: Expression, values: Values): boolean {
  const code = codeOf(error);
  if (typeof code !== 'string' || !UNKNOWN.has(code)) return false;
  const hasUnknownPath = (): boolean => paths.some((path) => (valueAt(values, path) ?? null) === null);
  return code === 'no_such_key' || /\bnull\b/.test(summaryOf(error)) || hasUnknownPath();
}

/** An expression whose regular expressions cannot hang: the library's own `matches` uses JavaScript's. */
function withSafeMatches(text: string): string {
  return matchesIn(evaluating.parse(text).ast).reduce(
    (safe, at) => safe.slice(0, at) + SAFE_MATCHES + safe.slice(at + SAFE_MATCHES.length),
    text,
  );
}

/** Where `matches` is called. */
function matchesIn(node: ASTNode): number[] {
  const inner = operandsOf(node).flatMap(matchesIn);
  if (node.op !== 'rcall' || node.args[0] !== 'matches') return inner;
  const [, receiver] = node.args;
  const at = node.input.indexOf('matches', receiver.range.end);
  return at < 0 ? inner : [...inner, at];
}

/** A call whose arguments are all written in the rule is tried when the file loads: `version("15.x")` would never be known. */
function problemWithConstants(node: ASTNode): ExpressionProblem | undefined {
  if (node.op === 'call') {
    const [name, args] = node.args;
    const network = args[1];
    if (name === 'in_cidr' && network?.op === 'value' && typeof network.args === 'string') {
      const message = problemWithNetwork(network.args);
      if (message !== undefined) return { message, offset: network.range.start };
    }
    // Whether a device is in a group depends on the device.
    if (name !== IN_GROUP && args.length > 0 && args.every(({ op }) => op === 'value')) {
      try {
        const call = evaluating.parse(node.input.slice(node.range.start, node.range.end));
        withCostBudget((): unknown => call({}));
      } catch (error) {
        return { message: constantProblem(error), offset: node.range.start };
      }
    }
  }
  if (node.op === 'rcall' && node.args[0] === SAFE_MATCHES) {
    const [, , [pattern]] = node.args;
    if (pattern?.op === 'value' && typeof pattern.args === 'string') {
      const message = problemWithRegularExpression(pattern.args);
      if (message !== undefined) return { message, offset: pattern.range.start };
    }
  }
  for (const operand of operandsOf(node)) {
    const problem = problemWithConstants(operand);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A name that a record lacks (a custom attribute nobody set, a field of newer records) is null, as it is when the record has it unset. */
function withNulls(values: Values, paths: readonly string[][]): Values {
  let filled = values;
  for (const path of paths) {
    const parent = valueAt(filled, path.slice(0, -1));
    const isRecord =
      typeof parent === 'object' && parent !== null && !Array.isArray(parent) && !(parent instanceof Date);
    if (isRecord && valueAt(filled, path) === undefined) filled = withNullAt(filled, path);
  }
  return filled;
}

function withNullAt(values: Values, [name = '', ...rest]: readonly string[]): Values {
  if (rest.length === 0) return { ...values, [name]: null };
  const inner = member(values, name);
  return typeof inner === 'object' && inner !== null
    ? { ...values, [name]: withNullAt({ ...inner }, rest) }
    : values;
}
