import { serialize } from '@marcbachmann/cel-js';
import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { isNativeError } from 'node:util/types';
import { didYouMean } from '../config/nearest-name.js';
import { errorText } from '../telemetry/error-text.js';
import { evaluatingEnvironment } from './cel-environment.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { Shape } from './vocabulary.js';
import { show, valueAt } from './values.js';
import type { Values } from './values.js';

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
  /**
   * Whether the values at hand decide it already, whatever the missing ones are; undefined when they do not.
   * This is what saves a fact from being fetched.
   */
  readonly settle: (values: Values) => boolean | undefined;
  readonly evaluate: (values: Values) => Verdict;
}

/** A problem in an expression and how many characters into it. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset: number;
}

const evaluating = evaluatingEnvironment();

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
  const checked = checking.check(text);
  if (!checked.valid) return problemFrom(checked.error, text, shapes, checking);
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    return {
      message: `a condition must be true or false; this one is a ${readableType(checked.type ?? 'value')}`,
      offset: 0,
    };
  }
  const program = evaluating.parse(text);
  const parts = conjuncts(program.ast).map((node) => ({ node, program: evaluating.parse(serialize(node)) }));
  return {
    text,
    names: new Set(pathsIn(program.ast).map((path) => path[0] ?? '')),
    settle: (values) => {
      const result = attempt(program, values);
      return typeof result === 'boolean' ? result : undefined;
    },
    evaluate: (values) => {
      if (attempt(program, values) === true) return { outcome: 'true' };
      // Name the part of `a && b && c` that decided: the first that is false, else the first that is not true.
      const deciding =
        parts.find((part) => attempt(part.program, values) === false) ??
        parts.find((part) => attempt(part.program, values) !== true);
      return explain(deciding?.program ?? program, deciding?.node ?? program.ast, values);
    },
  };
}

function attempt(program: ParseResult, values: Values): unknown {
  try {
    const result: unknown = program({ ...values });
    return result;
  } catch {
    // What went wrong is told by explain(), which evaluates the deciding part again.
    return undefined;
  }
}

function explain(program: ParseResult, node: ASTNode, values: Values): Verdict {
  try {
    const result: unknown = program({ ...values });
    if (result === true) return { outcome: 'true' };
    if (result === false || result === null || result === undefined)
      return { outcome: 'false', because: because(program, node, values) };
    return { outcome: 'error', because: `${serialize(node)} is ${show(result)}, expected true or false` };
  } catch (error) {
    const unknown = unknownPathsIn(program, values);
    const summary = summaryOf(error);
    if (unknown.length > 0 || /\bnull\b/.test(summary) || codeOf(error) === 'no_such_key') {
      return { outcome: 'false', because: because(program, node, values) };
    }
    return { outcome: 'error', because: `${serialize(node)}: ${summary}` };
  }
}

function because(program: ParseResult, node: ASTNode, values: Values): string {
  const facts = [...new Map(pathsIn(program.ast).map((path) => [path.join('.'), path]))].map(
    ([name, path]) => `${name} is ${show(valueAt(values, path))}`,
  );
  return facts.length === 0
    ? `${serialize(node)} is not true`
    : `${serialize(node)} is not true: ${facts.join(', ')}`;
}

function unknownPathsIn(program: ParseResult, values: Values): string[] {
  return pathsIn(program.ast)
    .filter((path) => (valueAt(values, path) ?? null) === null)
    .map((path) => path.join('.'));
}

function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** Macros whose first argument is a name of their own, with how many arguments they may have. */
const BINDERS = new Set(['all', 'exists', 'exists_one', 'filter', 'map', 'bind']);

/** Every path in an expression that starts at a free name, such as `device.firewall.enabled`, the longest form of each. */
export function pathsIn(node: ASTNode, bound: ReadonlySet<string> = new Set()): string[][] {
  const chain = chainOf(node);
  if (chain !== undefined) return bound.has(chain[0] ?? '') ? [] : [chain];
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return pathsIn(node.args[0], bound);
    case 'call':
      return node.args[1].flatMap((argument) => pathsIn(argument, bound));
    case 'rcall': {
      const [name, receiver, args] = node.args;
      const first = args[0];
      const inner = BINDERS.has(name) && first?.op === 'id' ? new Set([...bound, first.args]) : bound;
      return [...pathsIn(receiver, bound), ...args.flatMap((argument) => pathsIn(argument, inner))];
    }
    case 'list':
      return node.args.flatMap((item) => pathsIn(item, bound));
    case 'map':
      return node.args.flatMap(([key, value]) => [...pathsIn(key, bound), ...pathsIn(value, bound)]);
    case '!_':
    case '-_':
      return pathsIn(node.args, bound);
    default:
      return node.args.flatMap((operand) => pathsIn(operand, bound));
  }
}

function chainOf(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '.?') return undefined;
  const receiver = chainOf(node.args[0]);
  return receiver === undefined ? undefined : [...receiver, node.args[1]];
}

function problemFrom(
  error: unknown,
  text: string,
  shapes: Readonly<Record<string, Shape>>,
  checking: Environment,
): ExpressionProblem {
  const summary = summaryOf(error);
  const offset = offsetOf(error);
  const names = { event: EVENT_SHAPE, ...shapes };
  const field = /^No such key: (\S+)/.exec(summary)?.[1];
  if (field !== undefined)
    return { message: `unknown field "${field}"${didYouMean(field, fieldNames(names))}`, offset };
  const variable = /^Unknown variable: (\S+)/.exec(summary)?.[1];
  if (variable !== undefined) {
    return {
      message: `unknown name "${variable}"${didYouMean(variable, Object.keys(names))} (known here: ${Object.keys(names).join(', ')})`,
      offset,
    };
  }
  const called = /for '(?:.*\.)?(\w+)\(/.exec(summary)?.[1];
  if (called !== undefined) {
    const functions = checking.getDefinitions().functions.map((definition) => definition.name);
    if (!functions.includes(called)) {
      return {
        message: `unknown function "${called}"${didYouMean(called, functions)}`,
        offset: Math.max(offset, text.indexOf(called, offset)),
      };
    }
  }
  return { message: readableType(summary), offset };
}

function fieldNames(shapes: Readonly<Record<string, Shape>>): string[] {
  return Object.values(shapes).flatMap((shape): string[] => {
    if (typeof shape === 'string') return [];
    if ('list' in shape) return fieldNames({ item: shape.list });
    if ('mapOf' in shape) return [];
    return [...Object.keys(shape.fields), ...fieldNames(shape.fields)];
  });
}

function readableType(text: string): string {
  return text
    .replace(/Fact_(\w+)/g, '$1')
    .replace(/google\.protobuf\.Timestamp/g, 'time')
    .replace(/\bdouble\b/g, 'number')
    .replace(/^no such overload: /, 'these do not go together: ')
    .replace(/^found no matching overload for /, 'this cannot be called so: ');
}

function summaryOf(error: unknown): string {
  return isNativeError(error) && 'summary' in error && typeof error.summary === 'string'
    ? error.summary
    : errorText(error);
}

function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

function offsetOf(error: unknown): number {
  if (!isNativeError(error) || !('range' in error)) return 0;
  const { range } = error;
  return typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number'
    ? range.start
    : 0;
}
