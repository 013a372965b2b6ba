import type { ErrorCode } from './registry.js';

/** A problem that a user can meet: what is wrong, where, and what to do, with the code that docs/errors.md explains. */
export interface UserProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** The printable form, where it is more than message and code: a problem in a file adds its position and its line. */
  readonly text?: string;
}

/** A problem as text: the code stands at the end of the first line, so that it can be looked up. */
export function problemText({ code, message, text }: UserProblem): string {
  if (text !== undefined) return text;
  const [first = '', ...rest] = message.split('\n');
  return [`${first} [${code}]`, ...rest].join('\n');
}
