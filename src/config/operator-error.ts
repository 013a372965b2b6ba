import { problemText } from '../errors/user-problem.js';
import type { UserProblem } from '../errors/user-problem.js';

/**
 * One or more mistakes that the operator can fix: a bad setting, a typo in a rule file, a Redis that is away.
 * Only the lines are printed: a stack trace would hide what to do next.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  /** One text per problem. */
  readonly lines: readonly string[];
  readonly problems: readonly UserProblem[];

  /** @param problems - Where, what was found, and what is expected or what to do. */
  constructor(problems: readonly (UserProblem | string)[]) {
    const lines = problems.map((problem) => (typeof problem === 'string' ? problem : problemText(problem)));
    super(lines.join('\n'));
    this.lines = lines;
    this.problems = problems.filter((problem) => typeof problem !== 'string');
  }
}
