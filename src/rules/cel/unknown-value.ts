import { EvaluationError } from '@marcbachmann/cel-js';

/** The code of a value that a function cannot tell: no rule matches on it. */
export const UNKNOWN_VALUE = 'unknown_value';

/** The error that makes the result of a function unknown. */
export function unknown(message: string): EvaluationError {
  return new EvaluationError({ code: UNKNOWN_VALUE, message });
}
