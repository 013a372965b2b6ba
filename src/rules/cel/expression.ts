import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { evaluatingEnvironment } from './environment.js';
import { GROUP_PATHS, SAFE_MATCHES, withEvaluationContext, problemWithNetwork } from './functions.js';
import { UNKNOWN_VALUE } from './unknown-value.js';
import { instrumentCost } from './cost-instrumentation.js';
import { withCostBudget } from './cost-budget.js';
import { explainExpressionError, explainLiteralError } from './expression-error.js';
import { lintExpression } from './expression-lint.js';
import { lookupReadsIn, operandsOf, optionalPaths, pathsIn } from './expression-paths.js';
import { codeOf, summaryOf } from './library-error.js';
import type { ExpressionProblem } from '../model/problem.js';
import { problemWithRegularExpression } from './regular-expression.js';
import { member, valueAt } from '../model/values.js';
import type { Values } from '../model/values.js';
import type { Shape } from '../model/vocabulary.js';

/** A compiled CEL expression, or a part of one. */
export interface Expression {
  readonly text: string;
  readonly ast: ASTNode;
  /** The evaluated form: it has the same result, and can neither hang nor fill the memory. */
  readonly program: ParseResult;
  readonly paths: readonly string[][];
  /** The paths whose last name a record may lack: it is null then. */
  readonly optionalPaths: readonly string[][];
  /** The reads of lookups, to show what they gave. */
  readonly lookupReads: readonly {
    readonly text: string;
    readonly rowText: string;
    readonly row: ParseResult;
    readonly whole: ParseResult;
  }[];
  /** The CEL type of its result; `dyn` when that is known only at run time. */
  readonly type: string;
}

const evaluating = evaluatingEnvironment();

/**
 * Compiles an expression in the Common Expression Language.
 *
 * @param checking - A `checkingEnvironment` with the available names.
 * @param shapes - The shapes of the same names, for "did you mean".
 */
export function compileExpression(
  text: string,
  checking: Environment,
  shapes: Readonly<Record<string, Shape>>,
): Expression | ExpressionProblem {
  const variable = text.indexOf('${env:');
  if (variable >= 0) {
    const message = '${env:…} does not work in conditions: write the value here';
    return { code: 'rule/env-misplaced', message, offset: variable };
  }
  const checked = checking.check(text);
  if (!checked.valid) return explainExpressionError(checked.error, text, shapes, checking);
  const expression = expressionOf(text, checked.type ?? 'dyn');
  return problemWithLiterals(expression.ast) ?? lintExpression(expression.ast, shapes) ?? expression;
}

/**
 * Prepares a checked expression, or a part of one, for evaluation.
 *
 * @throws ParseError when the text is not an expression by itself.
 */
export function expressionOf(text: string, type: string): Expression {
  const { ast } = evaluating.parse(withSafeMatches(text));
  return {
    text,
    ast,
    program: evaluating.parse(instrumentCost(ast)),
    paths: pathsIn(ast),
    optionalPaths: optionalPaths(ast),
    lookupReads: lookupReadsIn(ast).map(({ row, whole }) => ({
      text: whole,
      rowText: row,
      row: evaluating.parse(row),
      whole: evaluating.parse(whole),
    })),
    type,
  };
}

/**
 * Prepares values to evaluate an expression and its parts: a name that a record lacks is null, and functions know the time and the group.
 *
 * @returns The values with these nulls, and a function that evaluates on them and throws the errors of the library.
 */
export function evaluatorFor(
  { optionalPaths: optional }: Expression,
  given: Values,
  now: Date,
): { values: Values; evaluate: (part: ParseResult) => unknown } {
  const values = withNulls(given, optional);
  return {
    values,
    evaluate: (part) =>
      withEvaluationContext(
        { now, group: values['group'], assignmentGroups: values['assignment_groups'] },
        () => withCostBudget((): unknown => part({ ...values })),
      ),
  };
}

/** The library's error codes for an operand that is null where another value was expected: the result is unknown. */
const UNKNOWN_CODES = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'invalid_comparison_type',
  'invalid_comprehension_range',
  'no_such_key',
  'unknown_variable',
]);

/** Whether an expression has no result because a value is unknown, and not because the expression is wrong. */
export function isUnknown(error: unknown, { paths }: Expression, values: Values): boolean {
  const code = codeOf(error);
  if (code === UNKNOWN_VALUE) return true;
  if (typeof code !== 'string' || !UNKNOWN_CODES.has(code)) return false;
  const hasUnknownPath = (): boolean => paths.some((path) => (valueAt(values, path) ?? null) === null);
  return code === 'no_such_key' || /\bnull\b/.test(summaryOf(error)) || hasUnknownPath();
}

/** Replaces `matches`, which uses JavaScript's regular expressions in the library, by one that cannot hang. */
function withSafeMatches(text: string): string {
  return matchesIn(evaluating.parse(text).ast).reduce(
    (safe, at) => safe.slice(0, at) + SAFE_MATCHES + safe.slice(at + SAFE_MATCHES.length),
    text,
  );
}

/** The offsets of calls of `matches`. */
function matchesIn(node: ASTNode): number[] {
  const inner = operandsOf(node).flatMap(matchesIn);
  if (node.op !== 'rcall' || node.args[0] !== 'matches') return inner;
  const [, receiver] = node.args;
  const at = node.input.indexOf('matches', receiver.range.end);
  return at < 0 ? inner : [...inner, at];
}

/** Evaluates calls whose arguments are all literals when the file loads: `version("15.x")` would always be unknown. */
function problemWithLiterals(node: ASTNode): ExpressionProblem | undefined {
  if (node.op === 'call') {
    const [name, args] = node.args;
    const network = args[1];
    if (name === 'in_cidr' && network?.op === 'value' && typeof network.args === 'string') {
      const message = problemWithNetwork(network.args);
      if (message !== undefined)
        return { code: 'rule/invalid-literal', message, offset: network.range.start };
    }
    // Membership in a group depends on the device.
    if (!Object.hasOwn(GROUP_PATHS, name) && args.length > 0 && args.every(({ op }) => op === 'value')) {
      try {
        const call = evaluating.parse(node.input.slice(node.range.start, node.range.end));
        withCostBudget((): unknown => call({}));
      } catch (error) {
        const message = explainLiteralError(error);
        return { code: 'rule/invalid-literal', message, offset: node.range.start };
      }
    }
  }
  if (node.op === 'rcall' && node.args[0] === SAFE_MATCHES) {
    const [, , [pattern]] = node.args;
    if (pattern?.op === 'value' && typeof pattern.args === 'string') {
      const message = problemWithRegularExpression(pattern.args);
      if (message !== undefined)
        return { code: 'rule/invalid-literal', message, offset: pattern.range.start };
    }
  }
  for (const operand of operandsOf(node)) {
    const problem = problemWithLiterals(operand);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Adds nulls for names that a record lacks, such as a custom attribute that nobody set: they mean the same as an unset field. */
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
