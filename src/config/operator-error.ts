import { problemText } from '../errors/user-problem.js';
import type { UserProblem } from '../errors/user-problem.js';

/**
 * One or more problems that the operator can fix, such as an invalid setting, a typo in a rule file, or an unreachable Redis.
 * The command line prints the lines without a stack trace, which would hide what to do.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  /** One string per problem. Its first line ends with ` [code]`. */
  readonly lines: readonly string[];
  readonly problems: readonly UserProblem[];

  /** @param problems - Each says what is wrong, where, and what to do. */
  constructor(problems: readonly (UserProblem | string)[]) {
    const lines = problems.map((problem) => (typeof problem === 'string' ? problem : problemText(problem)));
    super(lines.join('\n'));
    this.lines = lines;
    this.problems = problems.filter((problem) => typeof problem !== 'string');
  }
}
