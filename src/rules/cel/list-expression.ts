import type { Environment } from '@marcbachmann/cel-js';
import { shapeOfType } from './environment.js';
import { compileExpression, evaluatorFor, isUnknown } from './expression.js';
import { undecidedPaths } from './expression-paths.js';
import { summaryOf } from './library-error.js';
import { typeInWords } from './type-words.js';
import type { ExpressionProblem } from '../model/problem.js';
import type { Values } from '../model/values.js';
import { factOfPath } from '../model/vocabulary.js';
import type { Shape } from '../model/vocabulary.js';

/** A compiled expression that returns a list: the value of `for_each`. */
export interface ListExpression {
  readonly text: string;
  /** The first name of every path in it. */
  readonly names: ReadonlySet<string>;
  /** The paths whose null may leave the list unknown. */
  readonly paths: readonly (readonly string[])[];
  /** The shape of an item. */
  readonly itemShape: Shape;
  /**
   * The items; none when the list is unknown.
   *
   * @throws Error when the expression fails, or returns something other than a list.
   */
  readonly items: (values: Values, now?: Date) => readonly unknown[];
}

/**
 * Compiles the expression of a `for_each`.
 *
 * @param checking - A `checkingEnvironment` with the available names.
 * @param shapes - The shapes of the same names.
 */
export function compileList(
  text: string,
  checking: Environment,
  shapes: Readonly<Record<string, Shape>>,
): ListExpression | ExpressionProblem {
  const expression = compileExpression(text, checking, shapes);
  if ('message' in expression) return expression;
  const { type, paths, program, ast } = expression;
  const inner = /^list<(.+)>$/.exec(type)?.[1];
  if (inner === undefined && type !== 'dyn' && type !== 'list') {
    return {
      code: 'rule/type-mismatch',
      message: `for_each needs a list, such as apps.filter(a, a.managed); this is ${typeInWords(type)}`,
      offset: 0,
    };
  }
  return {
    text,
    names: new Set(paths.map(factOfPath)),
    paths: undecidedPaths(ast),
    itemShape: inner === undefined ? 'any' : shapeOfType(inner, shapes),
    items: (given, now = new Date()) => {
      let list: unknown;
      const { values, evaluate } = evaluatorFor(expression, given, now);
      try {
        list = evaluate(program);
      } catch (error) {
        if (isUnknown(error, expression, values)) return [];
        throw new Error(`${text}: ${summaryOf(error)}`, { cause: error });
      }
      if (list === null || list === undefined) return [];
      if (!Array.isArray(list)) throw new Error(`${text} did not return a list`);
      return list.map(toPlain);
    },
  };
}

/** Converts CEL values back: dates to texts and whole numbers to numbers, for templates and queues. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toPlain(member)]));
}
