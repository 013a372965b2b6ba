import { EvaluationError } from '@marcbachmann/cel-js';
import type { Environment } from '@marcbachmann/cel-js';

/**
 * The cost budget of one evaluation, in steps of some tens of nanoseconds. Nested loops over lists could otherwise run practically
 * forever: CEL bounds an expression only by the size of its input (langdef, Time Complexity).
 */
const BUDGET = 2_000_000;
/** The maximum size of a value that an expression builds: characters, items and fields together. */
const MAX_VALUE_SIZE = 100_000;

let remaining = BUDGET;

/** Evaluates with a fresh cost budget. Evaluation is synchronous, so evaluations never interleave. */
export function withCostBudget<T>(evaluate: () => T): T {
  const outer = remaining;
  remaining = BUDGET;
  try {
    return evaluate();
  } finally {
    remaining = outer;
  }
}

/**
 * Charges steps to the budget of the current evaluation.
 *
 * @throws EvaluationError when the budget is used up.
 */
export function spend(steps: number): void {
  remaining -= steps;
  if (remaining < 0) {
    throw new EvaluationError({
      code: 'too_expensive',
      message: 'the expression takes too many steps: it loops over nested lists, or over very long texts',
    });
  }
}

/** The function that charges steps and returns true. Rules cannot call it: they are checked in an environment without it. */
export const SPEND = 'spend_steps__';
/** The function that returns its argument unless it is too big. */
export const BOUNDED = 'bounded_value__';
/** The function that returns its argument unless it is null. */
export const KNOWN = 'known_value__';
/** The function that returns its argument; in a list with a null, only items that are there can be found. */
export const KNOWN_ITEMS = 'known_items__';

/** Registers the functions that cost instrumentation inserts. */
export function registerCostFunctions(environment: Environment): void {
  environment.registerFunction(`${SPEND}(int): bool`, (steps: bigint) => {
    spend(Number(steps));
    return true;
  });
  environment.registerFunction(`${BOUNDED}(dyn): dyn`, (value: unknown) => {
    spend(sizeOf(value) / 16);
    return value;
  });
}

/** The size of a value. A part that occurs twice counts twice, as it costs twice to visit. */
function sizeOf(value: unknown): number {
  let size = 0;
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    size += typeof next === 'string' ? next.length : 1;
    if (typeof next === 'object' && next !== null)
      for (const inner of Object.values(next)) pending.push(inner);
    if (size + pending.length > MAX_VALUE_SIZE) {
      throw new EvaluationError({
        code: 'too_expensive',
        message: 'the expression builds a text or a list that is too long',
      });
    }
  }
  return size;
}
