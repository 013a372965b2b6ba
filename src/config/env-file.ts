import { readFileSync } from 'node:fs';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';

/** An assignment as Node reads it; in quotes it may go over several lines. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|[^\n]*)[^\n]*$/gm;

/**
 * Reads a `.env` file into the environment; what is set there already stays.
 *
 * @throws OperatorError when it cannot be read, or a line of it is no assignment: a setting that is passed over in silence is not noticed.
 */
export function loadEnvFile(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new OperatorError([`${path}: ${errorText(error)}; make it readable, or remove it`]);
  }
  const problems = problemsInEnvFile(text).map((problem) => `${path}:${problem}`);
  if (problems.length > 0) throw new OperatorError(problems);
  process.loadEnvFile(path);
}

/** Each with the number of its line; what stands there may be a secret and is not repeated. */
export function problemsInEnvFile(text: string): string[] {
  // What is an assignment keeps its line breaks, so that the lines are counted right.
  const rest = text.replace(/\r\n?/g, '\n').replace(ASSIGNMENT, (found) => found.replace(/[^\n]/g, ''));
  return rest.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const name = /^\s*([A-Za-z_]\w*)\s*:/.exec(line)?.[1];
    const instead = name === undefined ? 'NAME=value' : `${name}=…`;
    return [`${index + 1}: this is no setting; expected ${instead}, or # before a comment`];
  });
}
