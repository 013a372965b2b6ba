import type { ErrorCode } from './registry.js';

/** A problem that a user can meet: what is wrong, where, and what to do, with the code that docs/errors.md explains. */
export interface UserProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A problem as text: the code stands at the end of the first line, so that it can be looked up. */
export function problemText({ code, message }: UserProblem): string {
  const [first = '', ...rest] = message.split('\n');
  return [`${first} [${code}]`, ...rest].join('\n');
}
