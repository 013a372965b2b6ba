import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { IN_GROUP, UNKNOWN } from './functions.js';
import { compileExpression, evaluatorFor, expressionOf, isUnknown } from './expression.js';
import type { Expression } from './expression.js';
import { conjuncts, fieldsTakenOf, structure, textsGivenTo } from './expression-paths.js';
import type { NamedField } from './expression-paths.js';
import { codeOf, summaryOf, typeInWords } from './expression-problem.js';
import type { ExpressionProblem } from '../model/problem.js';
import { show, valueAt } from '../model/values.js';
import type { Values } from '../model/values.js';
import { ATTRIBUTE_PATHS, EVENT_DATA_PATH, factOfPath } from '../model/vocabulary.js';
import type { NamedReference, Shape } from '../model/vocabulary.js';

/** What a condition came to, with the part that decided it. */
export type Verdict =
  | { readonly outcome: 'true' }
  /** Not true; also when it met a null: what is not known does not fire a rule. */
  | { readonly outcome: 'false'; readonly because: string }
  /** It could not be evaluated: division by zero, a text that is no number. */
  | { readonly outcome: 'error'; readonly because: string };

/** A compiled CEL condition. */
export interface Condition {
  readonly text: string;
  /** The first name of every path in it: `event`, facts, `steps`. */
  readonly names: ReadonlySet<string>;
  /** What it refers to by name, and where in it. */
  readonly references: readonly NamedReference[];
  /** What it takes of the data of the event. */
  readonly eventData: readonly NamedField[];
  /**
   * Whether the values at hand decide it already, whatever the missing ones are; undefined when they do not.
   * This is what saves a fact from being fetched.
   */
  readonly settle: (values: Values, now?: Date) => boolean | undefined;
  /** @param now - What `age` and `until` count from. */
  readonly evaluate: (values: Values, now?: Date) => Verdict;
}

/**
 * Compiles a condition in the Common Expression Language.
 *
 * Null is "unknown", as an error operand is in the CEL specification (langdef, Logical Operators): `unknown || true` is true,
 * `unknown && false` is false, and an unknown whole is not true.
 *
 * @param checking - From `checkingEnvironment`, with the names that may stand here.
 * @param shapes - The same names, for "did you mean".
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
      message: `a condition must be true or false; this one is ${typeInWords(whole.type)}: compare it with something`,
      offset: 0,
    };
  }
  const { program, ast } = whole;
  const parts = conjunctsOf(ast, text);
  const groups = textsGivenTo(IN_GROUP, ast).map((found) => ({ kind: 'device group' as const, ...found }));
  const attributes = ATTRIBUTE_PATHS.flatMap((path) => fieldsTakenOf(path, ast)).map(({ name, offset }) => ({
    kind: 'custom attribute' as const,
    text: name,
    offset,
  }));
  return {
    text,
    references: [...groups, ...attributes],
    eventData: fieldsTakenOf(EVENT_DATA_PATH, ast),
    names: new Set(whole.paths.map(factOfPath)),
    settle: (given, now = new Date()) => {
      const { value } = attempt(program, evaluatorFor(whole, given, now));
      return typeof value === 'boolean' ? value : undefined;
    },
    evaluate: (given, now = new Date()) => {
      const evaluator = evaluatorFor(whole, given, now);
      const outcome = attempt(program, evaluator);
      if (outcome.value === true) return { outcome: 'true' };
      // Name the part of `a && b && c` that decided: the first that is false, else the first that is not true.
      const outcomes = parts.length < 2 ? [] : parts.map((part) => attempt(part.program, evaluator));
      const firstFalse = outcomes.findIndex(({ value }) => value === false);
      const deciding = firstFalse >= 0 ? firstFalse : outcomes.findIndex(({ value }) => value !== true);
      return explain(parts[deciding] ?? whole, outcomes[deciding] ?? outcome, evaluator.values);
    },
  };
}

type Evaluator = ReturnType<typeof evaluatorFor>;

/** What an evaluation came to: a value, or why there is none. */
interface Attempt {
  readonly value?: unknown;
  readonly error?: unknown;
}

function attempt(program: ParseResult, { evaluate }: Evaluator): Attempt {
  try {
    return { value: evaluate(program) };
  } catch (error) {
    return { error };
  }
}

function explain(part: Expression, { value, error }: Attempt, values: Values): Verdict {
  const { text } = part;
  if (error === undefined) {
    if (value === true) return { outcome: 'true' };
    if (value === false || value === null || value === undefined)
      return { outcome: 'false', because: because(part, values) };
    return { outcome: 'error', because: `${text} is ${show(value)}, expected true or false` };
  }
  const summary = summaryOf(error);
  const code = codeOf(error);
  if (code === UNKNOWN) return { outcome: 'false', because: `${because(part, values)}: ${summary}` };
  return isUnknown(error, part, values)
    ? { outcome: 'false', because: because(part, values) }
    : { outcome: 'error', because: `${text}: ${summary}` };
}

function because({ text, paths }: Expression, values: Values): string {
  const facts = [...new Map(paths.map((path) => [path.join('.'), path]))].map(
    ([name, path]) => `${name} is ${show(valueAt(values, path))}`,
  );
  return facts.length === 0 ? `${text} is not true` : `${text} is not true: ${facts.join(', ')}`;
}

/** The parts of `a && b && c`, each as the author wrote it; the whole when a part does not mean the same by itself. */
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
    // A part that cannot stand alone is not shown alone.
    return undefined;
  }
}
