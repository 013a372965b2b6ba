import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { IN_ASSIGNMENT_GROUP, IN_GROUP } from './functions.js';
import { UNKNOWN_VALUE } from './unknown-value.js';
import { compileExpression, evaluatorFor, expressionOf, isUnknown } from './expression.js';
import type { Expression } from './expression.js';
import {
  conjuncts,
  fieldsReadFrom,
  literalArgumentsOf,
  structure,
  undecidedPaths,
} from './expression-paths.js';
import { codeOf, summaryOf } from './library-error.js';
import { typeInWords } from './type-words.js';
import type { ExpressionProblem } from '../model/problem.js';
import { show, valueAt } from '../model/values.js';
import type { Values } from '../model/values.js';
import { LookupRow } from '../lookups/lookup-table.js';
import { ATTRIBUTE_PATHS, EVENT_DATA_PATH, LOOKUP, factOfPath } from '../model/vocabulary.js';
import type { NamedField, NamedReference, Shape } from '../model/vocabulary.js';

/** The result of a condition, with the part that decided it. */
export type ConditionResult =
  | { readonly result: 'true' }
  /** Not true. With `unknown`, a null decided that, and the answer may change when the value arrives. No rule matches on an unknown. */
  | { readonly result: 'false'; readonly reason: string; readonly unknown?: true }
  /** The evaluation failed: division by zero, a text that is not a number. */
  | { readonly result: 'error'; readonly reason: string };

/** A compiled CEL condition. */
export interface Condition {
  /** The source as written. */
  readonly text: string;
  /** The first name of every path in it: `event`, facts, `steps`. */
  readonly names: ReadonlySet<string>;
  /** The paths whose null may leave it undecided. */
  readonly paths: readonly (readonly string[])[];
  /** The objects that it refers to by name. */
  readonly references: readonly NamedReference[];
  /** The fields of `event.data` that it reads. */
  readonly eventData: readonly NamedField[];
  /**
   * The result that the given values determine, whatever the missing ones are; undefined when they determine none.
   * Saves fetching the facts that do not matter.
   */
  readonly partialResult: (values: Values, now?: Date) => boolean | undefined;
  /** @param now - The time that `age` and `until` count from. */
  readonly evaluate: (values: Values, now?: Date) => ConditionResult;
}

/**
 * Compiles a condition in the Common Expression Language.
 *
 * Null is "unknown" and works like an error operand in the CEL specification (langdef, Logical Operators): `unknown || true` is true,
 * `unknown && false` is false, and an unknown condition is not true.
 *
 * @param checking - A `checkingEnvironment` with the available names.
 * @param shapes - The shapes of the same names, for "did you mean".
 */
export function compileCondition(
  text: string,
  checking: Environment,
  shapes: Readonly<Record<string, Shape>>,
): Condition | ExpressionProblem {
  const whole = compileExpression(text, checking, shapes);
  if ('message' in whole) return whole;
  if (whole.type !== 'bool' && whole.type !== 'dyn') {
    return {
      code: 'rule/type-mismatch',
      message: `a condition must be true or false; this one is ${typeInWords(whole.type)}: compare it with a value`,
      offset: 0,
    };
  }
  const { program, ast } = whole;
  const parts = conjunctsOf(ast, text);
  const groups: NamedReference[] = [
    ...literalArgumentsOf(IN_GROUP, ast).map((found) => ({
      kind: 'device group' as const,
      or: 'assignment group' as const,
      ...found,
    })),
    ...literalArgumentsOf(IN_ASSIGNMENT_GROUP, ast).map((found) => ({
      kind: 'assignment group' as const,
      ...found,
    })),
  ];
  const attributes = ATTRIBUTE_PATHS.flatMap((path) => fieldsReadFrom(path, ast)).map(({ name, offset }) => ({
    kind: 'custom attribute' as const,
    text: name,
    offset,
  }));
  return {
    text,
    references: [...groups, ...attributes],
    eventData: fieldsReadFrom(EVENT_DATA_PATH, ast),
    names: new Set(whole.paths.map(factOfPath)),
    paths: undecidedPaths(ast),
    partialResult: (given, now = new Date()) => {
      const { value } = tryEvaluate(program, evaluatorFor(whole, given, now));
      return typeof value === 'boolean' ? value : undefined;
    },
    evaluate: (given, now = new Date()) => {
      const evaluator = evaluatorFor(whole, given, now);
      const evaluation = tryEvaluate(program, evaluator);
      if (evaluation.value === true) return { result: 'true' };
      // Name the part of `a && b && c` that decided: the first that is false, else the first that is not true.
      const evaluations = parts.length < 2 ? [] : parts.map((part) => tryEvaluate(part.program, evaluator));
      const firstFalse = evaluations.findIndex(({ value }) => value === false);
      const deciding = firstFalse >= 0 ? firstFalse : evaluations.findIndex(({ value }) => value !== true);
      const result = explain(parts[deciding] ?? whole, evaluations[deciding] ?? evaluation, evaluator);
      return result.result === 'false' && evaluation.value !== false ? { ...result, unknown: true } : result;
    },
  };
}

type Evaluator = ReturnType<typeof evaluatorFor>;

/** The value of an evaluation, or the error that it threw. */
interface Evaluation {
  readonly value?: unknown;
  readonly error?: unknown;
}

function tryEvaluate(program: ParseResult, { evaluate }: Evaluator): Evaluation {
  try {
    return { value: evaluate(program) };
  } catch (error) {
    return { error };
  }
}

function explain(part: Expression, { value, error }: Evaluation, evaluator: Evaluator): ConditionResult {
  const text = onOneLine(part.text);
  const { values } = evaluator;
  if (error === undefined) {
    if (value === true) return { result: 'true' };
    if (value === false || value === null || value === undefined)
      return { result: 'false', reason: whyNotTrue(part, evaluator) };
    return { result: 'error', reason: `${text} is ${show(value)}, expected true or false` };
  }
  const summary = summaryOf(error);
  if (codeOf(error) === UNKNOWN_VALUE)
    return { result: 'false', reason: `${whyNotTrue(part, evaluator)}: ${summary}` };
  return isUnknown(error, part, values)
    ? { result: 'false', reason: whyNotTrue(part, evaluator) }
    : { result: 'error', reason: `${text}: ${summary}` };
}

function whyNotTrue({ text: written, paths, lookupReads }: Expression, evaluator: Evaluator): string {
  const text = onOneLine(written);
  const rows = lookupReads.flatMap(({ text: read, rowText, row, whole }) => {
    const found = tryEvaluate(row, evaluator).value;
    if (!(found instanceof LookupRow)) return [];
    const value = found.isMissing ? found : tryEvaluate(whole, evaluator).value;
    return [`${found.isMissing ? rowText : read} is ${show(value ?? null)}`];
  });
  const named = [...new Map(paths.map((path) => [path.join('.'), path]))]
    // The rows that were read say more than the number of rows.
    .filter(([, [first]]) => first !== LOOKUP || lookupReads.length === 0)
    .map(([name, path]) => `${name} is ${show(valueAt(evaluator.values, path))}`);
  const facts = [...new Set(rows), ...named];
  return facts.length === 0 ? `${text} is not true` : `${text} is not true: ${facts.join(', ')}`;
}

/** An expression without the line breaks and the indentation of the rule file: a reason is one line. */
export function onOneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

/** The parts of `a && b && c` as the author wrote them; none when a part has another meaning by itself. */
function conjunctsOf(whole: ASTNode, written: string): Expression[] {
  const nodes = conjuncts(whole);
  const parts = nodes.flatMap((node): Expression[] => {
    const part = partOrUndefined(written.slice(node.range.start, node.range.end).trim());
    return part !== undefined && structure(part.ast) === structure(node) ? [part] : [];
  });
  return parts.length === nodes.length ? parts : [];
}

function partOrUndefined(text: string): Expression | undefined {
  try {
    return expressionOf(text, 'bool');
  } catch {
    // The reason then shows the whole condition.
    return undefined;
  }
}
