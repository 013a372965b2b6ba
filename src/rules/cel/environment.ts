import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { errorText } from '../../telemetry/error-text.js';
import { registerFunctions } from './functions.js';
import { KNOWN, KNOWN_ITEMS, registerCostFunctions } from './cost-budget.js';
import { EVENT_SHAPE } from '../model/vocabulary.js';
import { LookupRow, LookupTable } from '../lookups/lookup-table.js';
import type { Shape } from '../model/vocabulary.js';

const LIMITS = { maxAstNodes: 2000, maxDepth: 60 };
const OPTIONS = { homogeneousAggregateLiterals: false, limits: LIMITS };
/** Cost instrumentation makes expressions longer. */
const EVALUATION_LIMITS = { maxAstNodes: 8 * LIMITS.maxAstNodes, maxDepth: 4 * LIMITS.maxDepth };

const TIME = 'google.protobuf.Timestamp';
const ARITHMETIC = ['+', '-', '*', '/', '%'] as const;
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;

const environments = new WeakMap<object, Map<string, Environment>>();
const MAX_CACHED = 500;

/**
 * {@link checkingEnvironment}, cached by facts and extra names: a thousand rules share a few environments.
 *
 * @param extraNames - The names beside the facts, such as `steps`.
 */
export function sharedCheckingEnvironment(
  facts: Readonly<Record<string, Shape>>,
  extraNames: Readonly<Record<string, Shape>>,
): Environment {
  const cached = environments.get(facts) ?? new Map<string, Environment>();
  environments.set(facts, cached);
  const key = JSON.stringify(extraNames);
  const existing = cached.get(key);
  if (existing !== undefined) return existing;
  if (cached.size >= MAX_CACHED) cached.clear();
  const environment = checkingEnvironment({ ...facts, ...extraNames });
  cached.set(key, environment);
  return environment;
}

/** The shape of a CEL type of {@link checkingEnvironment}; `any` for types that it does not define. */
export function shapeOfType(type: string, shapes: Readonly<Record<string, Shape>>): Shape {
  const scalar = Object.entries(SCALARS).find(([, name]) => name === type)?.[0];
  if (scalar === 'string' || scalar === 'number' || scalar === 'bool' || scalar === 'time') return scalar;
  const list = /^list<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) return { list: shapeOfType(list, shapes) };
  const find = (name: string, shape: Shape): Shape | undefined => {
    if (typeof shape === 'string' || 'oneOf' in shape || 'mapOf' in shape) return undefined;
    if ('list' in shape) return find(`${name}_item`, shape.list);
    if ('tableOf' in shape) return find(`${name}_row`, shape.tableOf);
    if (type === `Fact_${name}`) return shape;
    return firstOf(Object.entries(shape.fields), ([field, inner]) => find(`${name}_${field}`, inner));
  };
  return (
    firstOf(Object.entries({ event: EVENT_SHAPE, ...shapes }), ([name, shape]) => find(name, shape)) ?? 'any'
  );
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The environment that expressions are checked in. Every field has a type, so that a misspelled field is found when the file
 * loads. `T == null` is allowed for every T, because any field may be null.
 */
export function checkingEnvironment(shapes: Readonly<Record<string, Shape>>): Environment {
  const environment = new Environment(OPTIONS);
  const nullable = new Set<string>(['string', 'double', 'bool', TIME]);
  const tables = new Set<string>();
  const typeOf = (name: string, shape: Shape): string => {
    const type = nameOfType(name, shape);
    if (!tables.has(type)) nullable.add(type);
    return type;
  };
  const nameOfType = (name: string, shape: Shape): string => {
    if (typeof shape === 'string') return SCALARS[shape];
    if ('oneOf' in shape) return SCALARS.string;
    if ('list' in shape) return `list<${typeOf(`${name}_item`, shape.list)}>`;
    if ('tableOf' in shape) {
      const row = typeOf(`${name}_row`, shape.tableOf);
      // A key may be a text or a number.
      const table = `map<dyn, ${row}>`;
      tables.add(table);
      return table;
    }
    // The library has no operators for map types, so a map could not be compared with null. Its values are checked at run time.
    if ('mapOf' in shape) return 'dyn';
    const fields = Object.fromEntries(
      Object.entries(shape.fields).map(([field, inner]) => [field, typeOf(`${name}_${field}`, inner)]),
    );
    environment.registerType(`Fact_${name}`, { fields });
    return `Fact_${name}`;
  };
  for (const [name, shape] of Object.entries({ event: EVENT_SHAPE, ...shapes })) {
    environment.registerVariable(name, typeOf(name, shape));
  }
  registerFunctions(environment);
  nullable.delete('dyn');
  // The handlers never run: expressions are evaluated in the other environment.
  for (const type of nullable) environment.registerOperator(`${type} == null`, () => false);
  mixNumbers(environment);
  // At run time a JSON number is found among whole numbers anyway.
  environment.registerOperator('double in list<int>', () => false);
  return environment;
}

const SCALARS = { string: 'string', number: 'double', bool: 'bool', time: TIME, any: 'dyn' } as const;

/**
 * The environment that expressions are evaluated in. It declares no names, so that a null where a text was expected is an operand
 * without a matching operator (an "unknown") and not a broken rule. JSON numbers are doubles and mix with whole numbers.
 */
export function evaluatingEnvironment(): Environment {
  const environment = new Environment({
    ...OPTIONS,
    limits: EVALUATION_LIMITS,
    unlistedVariablesAreDyn: true,
  });
  registerFunctions(environment);
  registerCostFunctions(environment);
  registerKnown(environment);
  mixNumbers(environment);
  registerLookups(environment);
  for (const type of ['string', 'double', 'int', 'bool', 'list<dyn>', TIME]) {
    environment.registerOperator(`${type} == null`, equalsUnlessUnknown);
  }
  return environment;
}

/** The function that expressions get around a compared operand: it returns its argument, unless that is null. */
function registerKnown(environment: Environment): void {
  environment.registerFunction(`${KNOWN}(dyn): dyn`, (value: unknown) => {
    if (value === null || value === undefined) throw nullIsUnknown();
    return value;
  });
  environment.registerFunction(`${KNOWN_ITEMS}(dyn): dyn`, (value: unknown) =>
    Array.isArray(value) && value.some(isNull) ? withUnknownItems(value) : value,
  );
}

const isNull = (item: unknown): boolean => item === null || item === undefined;

const nullIsUnknown = (): EvaluationError =>
  new EvaluationError({ code: 'no_such_overload', message: 'null is unknown' });

/** The list for the library's `in`, which compares one item after the other: a null in the list may be what is sought. */
function withUnknownItems(list: readonly unknown[]): readonly unknown[] {
  const items = list.filter((item) => !isNull(item));
  const known = [...items];
  Object.defineProperty(known, Symbol.iterator, {
    *value() {
      yield* items;
      throw nullIsUnknown();
    },
  });
  return known;
}

/** A row that a table does not have equals null. */
function registerLookups(environment: Environment): void {
  environment.registerType('LookupTable', LookupTable);
  environment.registerType('LookupRow', LookupRow);
  environment.registerOperator('LookupRow == null', (left: unknown, right: unknown) =>
    [left, right].some((row) => row instanceof LookupRow && row.isMissing),
  );
  for (const key of ['string', 'double', 'int']) {
    environment.registerOperator(`${key} in LookupTable`, (given: unknown, table: LookupTable) =>
      table.has(given),
    );
  }
}

/**
 * In CEL, null equals nothing, so `x != "a"` would be true for an unknown x. Here null is unknown, so that no rule matches on it;
 * `x == null`, with a literal null, is the way to ask.
 *
 * The library passes the operands in either order; only the expression shows which one is the literal null.
 */
function equalsUnlessUnknown(left: unknown, right: unknown, ...[node]: readonly ASTNode[]): boolean {
  const asksForNull = (node?.op === '==' || node?.op === '!=') && node.args.some(isNullLiteral);
  if (!asksForNull && (left === null || right === null)) {
    throw nullIsUnknown();
  }
  return left === right;
}

function isNullLiteral({ op, args }: ASTNode): boolean {
  return op === 'value' && args === null;
}

const CALCULATE: Record<(typeof ARITHMETIC)[number], (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const COMPARE: Record<(typeof COMPARISONS)[number], (a: number, b: number) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

type Numeric = number | bigint;

/** JSON has one kind of number, so doubles and whole numbers mix. The result of a calculation is a double. */
function mixNumbers(environment: Environment): void {
  for (const pair of [
    { left: 'double', right: 'int' },
    { left: 'int', right: 'double' },
  ]) {
    for (const operator of ARITHMETIC) {
      const apply = (a: Numeric, b: Numeric): number => CALCULATE[operator](Number(a), Number(b));
      registerOnce(() =>
        environment.registerOperator(`${pair.left} ${operator} ${pair.right}: double`, apply),
      );
    }
    for (const operator of COMPARISONS) {
      const apply = (a: Numeric, b: Numeric): boolean => COMPARE[operator](Number(a), Number(b));
      registerOnce(() => environment.registerOperator(`${pair.left} ${operator} ${pair.right}`, apply));
    }
  }
  registerOnce(() => environment.registerOperator('double % double', (a: number, b: number) => a % b));
}

/** Some operators exist already, and registering == adds !=. The library refuses a second registration. */
function registerOnce(register: () => void): void {
  try {
    register();
  } catch (error) {
    if (!/already|overlap/i.test(errorText(error))) throw error;
  }
}
