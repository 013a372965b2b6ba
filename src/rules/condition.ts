import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { isNativeError } from 'node:util/types';
import { didYouMean } from '../config/nearest-name.js';
import { errorText } from '../telemetry/error-text.js';
import { evaluatingEnvironment } from './cel-environment.js';
import { NOT_KNOWN, SAFE_MATCHES, problemWithNetwork } from './cel-functions.js';
import { problemWithRegularExpression } from './regular-expression.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { Shape } from './vocabulary.js';
import { member, show, valueAt } from './values.js';
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
  const program = evaluating.parse(withSafeMatches(text));
  const constant = problemWithConstants(program.ast);
  if (constant !== undefined) return constant;
  const whole: Part = { text, program, paths: pathsIn(program.ast) };
  const parts = conjunctsOf(program.ast, text);
  const asked = pathsAskedFor(program.ast);
  return {
    text,
    names: new Set(whole.paths.map((path) => path[0] ?? '')),
    settle: (given) => {
      const result = attempt(program, withNulls(given, asked));
      return typeof result === 'boolean' ? result : undefined;
    },
    evaluate: (given) => {
      const values = withNulls(given, asked);
      if (attempt(program, values) === true) return { outcome: 'true' };
      // Name the part of `a && b && c` that decided: the first that is false, else the first that is not true.
      const results = parts.map((part) => attempt(part.program, values));
      const firstFalse = parts[results.indexOf(false)];
      const deciding = firstFalse ?? parts[results.findIndex((result) => result !== true)];
      return explain(deciding ?? whole, values);
    },
  };
}

/** An expression whose regular expressions cannot hang: the library's own `matches` uses JavaScript's. */
function withSafeMatches(text: string): string {
  const parsed = parsedOrUndefined(text);
  if (parsed === undefined) return text;
  return matchesIn(parsed.ast).reduce(
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
    if (args.length > 0 && args.every(({ op }) => op === 'value')) {
      try {
        evaluating.parse(node.input.slice(node.range.start, node.range.end))({});
      } catch (error) {
        return { message: summaryOf(error), offset: node.range.start };
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

/** A condition or a part of it, with the paths that it names. */
interface Part {
  readonly text: string;
  readonly program: ParseResult;
  readonly paths: readonly string[][];
}

/** The paths of a condition whose last name may be missing: all but those that `has(…)` asks about. */
function pathsAskedFor(node: ASTNode): string[][] {
  const tested = new Set(
    hasArguments(node)
      .flatMap((argument) => pathsIn(argument))
      .map((path) => path.join('.')),
  );
  return pathsIn(node).filter((path) => path.length > 1 && !tested.has(path.join('.')));
}

function hasArguments(node: ASTNode): ASTNode[] {
  if (node.op === 'call' && node.args[0] === 'has') return node.args[1];
  return operandsOf(node).flatMap(hasArguments);
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

function attempt(program: ParseResult, values: Values): unknown {
  try {
    const result: unknown = program({ ...values });
    return result;
  } catch {
    // What went wrong is told by explain(), which evaluates the deciding part again.
    return undefined;
  }
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

function explain(part: Part, values: Values): Verdict {
  const { text, program } = part;
  try {
    const result: unknown = program({ ...values });
    if (result === true) return { outcome: 'true' };
    if (result === false || result === null || result === undefined)
      return { outcome: 'false', because: because(part, values) };
    return { outcome: 'error', because: `${text} is ${show(result)}, expected true or false` };
  } catch (error) {
    const summary = summaryOf(error);
    const code = codeOf(error);
    if (code === NOT_KNOWN) return { outcome: 'false', because: `${because(part, values)}: ${summary}` };
    const meetsNull = code === 'no_such_key' || /\bnull\b/.test(summary) || hasUnknownPath(part, values);
    return typeof code === 'string' && UNKNOWN.has(code) && meetsNull
      ? { outcome: 'false', because: because(part, values) }
      : { outcome: 'error', because: `${text}: ${summary}` };
  }
}

function because({ text, paths }: Part, values: Values): string {
  const facts = [...new Map(paths.map((path) => [path.join('.'), path]))].map(
    ([name, path]) => `${name} is ${show(valueAt(values, path))}`,
  );
  return facts.length === 0 ? `${text} is not true` : `${text} is not true: ${facts.join(', ')}`;
}

function hasUnknownPath({ paths }: Part, values: Values): boolean {
  return paths.some((path) => (valueAt(values, path) ?? null) === null);
}

/** The parts of `a && b && c`, each as the author wrote it; the whole when a part does not mean the same by itself. */
function conjunctsOf(whole: ASTNode, written: string): Part[] {
  const nodes = conjuncts(whole);
  const parts = nodes.flatMap((node): Part[] => {
    const text = written.slice(node.range.start, node.range.end).trim();
    const program = parsedOrUndefined(withSafeMatches(text));
    if (program === undefined || structure(program.ast) !== structure(node)) return [];
    return [{ text, program, paths: pathsIn(program.ast) }];
  });
  return parts.length === nodes.length ? parts : [];
}

function parsedOrUndefined(text: string): ParseResult | undefined {
  try {
    return evaluating.parse(text);
  } catch {
    // A part that cannot stand alone is not shown alone.
    return undefined;
  }
}

/** What a part means, wherever it stands in its text. */
function structure(node: ASTNode): string {
  return JSON.stringify(node.toOldStructure(), (key, value: unknown) => {
    if (key === 'pos' || key === 'start' || key === 'end' || key === 'input' || key === 'range')
      return undefined;
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** Macros whose first argument is a name of their own. */
const BINDERS = new Set(['all', 'exists', 'exists_one', 'filter', 'map', 'bind']);

/** Every path in an expression that starts at a free name, such as `device.firewall.enabled`, the longest form of each. */
function pathsIn(node: ASTNode, bound: ReadonlySet<string> = new Set()): string[][] {
  const chain = chainOf(node);
  if (chain !== undefined) return bound.has(chain[0] ?? '') ? [] : [chain];
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    const first = args[0];
    const inner = BINDERS.has(name) && first?.op === 'id' ? new Set([...bound, first.args]) : bound;
    return [...pathsIn(receiver, bound), ...args.flatMap((argument) => pathsIn(argument, inner))];
  }
  return operandsOf(node).flatMap((operand) => pathsIn(operand, bound));
}

function operandsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
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
