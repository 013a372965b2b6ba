import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { errorText } from '../telemetry/error-text.js';
import { registerFunctions } from './cel-functions.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { Shape } from './vocabulary.js';

const LIMITS = { maxAstNodes: 2000, maxDepth: 60 };
const OPTIONS = { homogeneousAggregateLiterals: false, limits: LIMITS };

const TIME = 'google.protobuf.Timestamp';
const ARITHMETIC = ['+', '-', '*', '/', '%'] as const;
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;

/**
 * The environment that expressions are checked in: every field has its type, so that a misspelt one is found when the
 * file loads. `T == null` is allowed for every T, because any field may be null.
 */
export function checkingEnvironment(shapes: Readonly<Record<string, Shape>>): Environment {
  const environment = new Environment(OPTIONS);
  const nullable = new Set<string>(['string', 'double', 'bool', TIME]);
  const typeOf = (name: string, shape: Shape): string => {
    const type = nameOfType(name, shape);
    nullable.add(type);
    return type;
  };
  const nameOfType = (name: string, shape: Shape): string => {
    if (typeof shape === 'string') return SCALARS[shape];
    if ('list' in shape) return `list<${typeOf(`${name}_item`, shape.list)}>`;
    // The library takes no operators on map types, so a map could not be compared with null; its values are checked at run time.
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
  // The handlers are never run: expressions are evaluated in the other environment.
  for (const type of nullable) environment.registerOperator(`${type} == null`, () => false);
  mixNumbers(environment);
  // Evaluated, a JSON number is found among whole numbers anyway.
  environment.registerOperator('double in list<int>', () => false);
  return environment;
}

const SCALARS = { string: 'string', number: 'double', bool: 'bool', time: TIME, any: 'dyn' } as const;

/**
 * The environment that expressions are evaluated in: nothing is declared, so that a null where a text was expected is an
 * operand without a matching operator (an "unknown"), not a broken rule. JSON numbers are doubles and mix with whole numbers.
 */
export function evaluatingEnvironment(): Environment {
  const environment = new Environment({ ...OPTIONS, unlistedVariablesAreDyn: true });
  registerFunctions(environment);
  mixNumbers(environment);
  for (const type of ['string', 'double', 'int', 'bool', TIME]) {
    environment.registerOperator(`${type} == null`, equalsUnlessUnknown);
  }
  return environment;
}

/**
 * CEL itself says that null is not equal to anything, so that `x != "a"` would be true for an x that is not known. Here a null on the
 * left is unknown, so that a rule does not fire on it; `x == null`, with null on the right, is how to ask.
 */
function equalsUnlessUnknown(left: unknown, right: unknown): boolean {
  if (left === null) throw new EvaluationError({ code: 'no_such_overload', message: 'null is not known' });
  return left === right;
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

/** JSON does not tell whole numbers from others, so the two mix: the result of a calculation is a double. */
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

/** Some of these exist already, and registering == brings != along; a second registration is refused. */
function registerOnce(register: () => void): void {
  try {
    register();
  } catch (error) {
    if (!/already|overlap/i.test(errorText(error))) throw error;
  }
}
