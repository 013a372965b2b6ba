import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { UserProblem } from '../errors/user-problem.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';

/** A `.env` file whose variables are part of an environment. */
export interface EnvFile {
  /**
   * The text of the file; undefined when there is none.
   *
   * @throws OperatorError when the file cannot be read.
   */
  readonly read: () => string | undefined;
  /**
   * Puts the variables of a text into the environment, and removes those that an earlier text had and this one has not. A variable that the process
   * got from elsewhere keeps its value.
   *
   * @param text - Undefined, for a file that is gone, changes nothing.
   * @param beforeUse - Called with the changed variables before the environment has them.
   * @returns The names of the changed variables.
   * @throws OperatorError when a line assigns nothing: Node would ignore that line silently. Nothing changes then.
   */
  readonly apply: (text: string | undefined, beforeUse?: (changed: ChangedVariables) => void) => string[];
}

/** Variables by name; undefined when they are removed. */
export type ChangedVariables = Readonly<Record<string, string | undefined>>;

/** An assignment in the syntax of Node. A quoted value may span lines. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|[^\n]*)[^\n]*$/gm;

/**
 * Loads a `.env` file into an environment. Variables that are already set keep their values. A missing file is no error.
 *
 * @throws OperatorError when the file cannot be read, or when a line assigns nothing.
 */
export function openEnvFile(path: string, env: NodeJS.ProcessEnv): EnvFile {
  const ownNames = new Set(Object.keys(env));
  let applied: NodeJS.Dict<string> = {};
  const read = (): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw new OperatorError([problem(`${path}: ${errorText(error)}; make it readable, or remove it`)]);
    }
  };
  const apply: EnvFile['apply'] = (text, beforeUse) => {
    // An editor may replace the file in two steps.
    if (text === undefined) return [];
    const problems = problemsInEnvFile(text);
    if (problems.length > 0) throw new OperatorError(problems.map((line) => problem(`${path}:${line}`)));
    const next = parseEnv(text);
    const names = [...new Set([...Object.keys(applied), ...Object.keys(next)])].filter(
      (name) => !ownNames.has(name) && applied[name] !== next[name],
    );
    beforeUse?.(Object.fromEntries(names.map((name) => [name, next[name]])));
    for (const name of names) {
      const value = next[name];
      if (value === undefined) Reflect.deleteProperty(env, name);
      else env[name] = value;
    }
    applied = next;
    return names.sort();
  };
  apply(read());
  return { read, apply };
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
