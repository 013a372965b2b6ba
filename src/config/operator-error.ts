import { problemText } from '../errors/user-problem.js';
import type { UserProblem } from '../errors/user-problem.js';

/**
 * One or more mistakes that the operator can fix: a bad setting, a typo in a rule file, an unreachable Redis.
 * Only the lines are printed: a stack trace would hide what to do next.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly problems: readonly UserProblem[];
  /** One string per problem. Its first line ends with ` [code]`. */
  readonly lines: readonly string[];

  /** @param problems - Each says what is wrong, where, and what to do. */
  constructor(problems: readonly UserProblem[]) {
    const lines = problems.map(problemText);
    super(lines.join('\n'));
    this.problems = problems;
    this.lines = lines;
  }
}
