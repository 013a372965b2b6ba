/**
 * A mistake that the person who runs the service can mend: a bad setting, a typo in a rule file, a Redis that is away.
 * It is printed as its lines alone; a stack trace would only hide what to do next.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly lines: readonly string[];

  /** @param lines - One line per problem: where, what was found, what is expected or what to do. */
  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}
