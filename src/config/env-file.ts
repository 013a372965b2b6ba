import { readFileSync } from 'node:fs';
import type { UserProblem } from '../errors/user-problem.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';

/** An assignment in the syntax of Node. A quoted value may span lines. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|[^\n]*)[^\n]*$/gm;

/**
 * Loads a `.env` file into the environment. Variables that are already set keep their values. A missing file is no error.
 *
 * @throws OperatorError when the file cannot be read, or when a line assigns nothing: Node would ignore that line silently.
 */
export function loadEnvFile(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new OperatorError([problem(`${path}: ${errorText(error)}; make it readable, or remove it`)]);
  }
  const problems = problemsInEnvFile(text);
  if (problems.length > 0) throw new OperatorError(problems.map((line) => problem(`${path}:${line}`)));
  process.loadEnvFile(path);
}

function problem(message: string): UserProblem {
  return { code: 'settings/env-file', message };
}

/** The lines that assign nothing, as `<line>: <message>`. Messages never quote the line, which may hold a secret. */
export function problemsInEnvFile(text: string): string[] {
  // Removed assignments leave their line breaks behind, so that line numbers stay correct.
  const rest = text.replace(/\r\n?/g, '\n').replace(ASSIGNMENT, (found) => found.replace(/[^\n]/g, ''));
  return rest.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const name = /^\s*([A-Za-z_]\w*)\s*:/.exec(line)?.[1];
    const expected = name === undefined ? 'NAME=value' : `${name}=…`;
    return [`${index + 1}: not an assignment; expected ${expected}, or # before a comment`];
  });
}
