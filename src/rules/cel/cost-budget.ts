import { EvaluationError } from '@marcbachmann/cel-js';
import type { Environment } from '@marcbachmann/cel-js';

/**
 * What one evaluation may cost, in steps of some tens of nanoseconds. Lists within lists within lists can take longer than the
 * universe: CEL itself bounds an expression only by the size of its input (langdef, Time Complexity).
 */
const BUDGET = 2_000_000;
/** A value that an expression builds up may be this big: characters, items and fields together. */
const LARGEST = 100_000;

let left = BUDGET;

/** Evaluates something with a budget of its own. Evaluation never waits for anything, so no other can come between. */
export function withCostBudget<T>(evaluate: () => T): T {
  const before = left;
  left = BUDGET;
  try {
    return evaluate();
  } finally {
    left = before;
  }
}

/**
 * Takes some steps off the budget of the evaluation under way.
 *
 * @throws EvaluationError when nothing is left.
 */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) {
    throw new EvaluationError({
      code: 'too_expensive',
      message: 'it takes too many steps: it goes over lists within lists, or over texts that are too long',
    });
  }
}

/** Takes steps off and is true. Rules cannot write it: they are checked without it. */
export const SPEND = 'spend_steps__';
/** Gives a value back, if it is not too big. */
export const BOUNDED = 'bounded_value__';

/** Lets expressions that count their steps be evaluated. */
export function registerBudget(environment: Environment): void {
  environment.registerFunction(`${SPEND}(int): bool`, (steps: bigint) => {
    spend(Number(steps));
    return true;
  });
  environment.registerFunction(`${BOUNDED}(dyn): dyn`, (value: unknown) => {
    spend(sizeOf(value) / 16);
    return value;
  });
}

/** How much there is in a value. What a value refers to twice counts twice: so does whoever goes over it. */
function sizeOf(value: unknown): number {
  let size = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    size += typeof next === 'string' ? next.length : 1;
    if (typeof next === 'object' && next !== null)
      for (const inner of Object.values(next)) waiting.push(inner);
    if (size + waiting.length > LARGEST) {
      throw new EvaluationError({
        code: 'too_expensive',
        message: 'it builds up a text or a list that is too long',
      });
    }
  }
  return size;
}
