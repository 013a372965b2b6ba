import type { ErrorCode } from '../../errors/registry.js';
import { problemText } from '../../errors/user-problem.js';
import type { UserProblem } from '../../errors/user-problem.js';

/** A place in a parsed file: keys and indexes from the root. */
export type Path = readonly (string | number)[];

/** A problem in a parsed file, before its line and column are known. */
export interface Problem {
  readonly code: ErrorCode;
  readonly path: Path;
  /** Whether the problem is the key itself and not its value. */
  readonly atKey?: boolean;
  /** How many characters into the value the problem starts, for expressions and templates. */
  readonly offset?: number;
  /** Whether the file may have a bare `null` where the rule needs a text: quotes fix it. */
  readonly needsQuotes?: boolean;
  readonly message: string;
}

/** Receives a problem or a warning. The check continues, so that one run finds all problems. */
export type Report = (problem: Problem) => void;

/** A problem in an expression or a template, and how many characters into its text it starts. */
export interface ExpressionProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly offset: number;
}

/** A problem in a rule file. File, line and column are left out where the problem has none, such as an unreadable folder. */
export interface RuleProblem extends UserProblem {
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** `file:line:column: message [code]`, then the source line and a caret below the place. */
  readonly text: string;
}

/** A problem at a position in a file. */
export function problemAt(
  { file, line, column }: { readonly file: string; readonly line: number; readonly column: number },
  { code, message }: UserProblem,
  excerpt: readonly string[],
): RuleProblem {
  const located = [`${file}:${line}:${column}: ${message}`, ...excerpt].join('\n');
  return { code, message, file, line, column, text: problemText({ code, message: located }) };
}

/** A problem of a whole file, or of no file. */
export function problemOfFile(problem: UserProblem, file?: string): RuleProblem {
  const { code, message } = problem;
  const text = problemText(file === undefined ? problem : { code, message: `${file}: ${message}` });
  return { code, message, ...(file !== undefined && { file }), text };
}

/** A problem without its printable form, for logs and `--json`. */
export function withoutText({ text: _text, ...problem }: RuleProblem): Omit<RuleProblem, 'text'> {
  return problem;
}
