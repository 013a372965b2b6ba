import { CommanderError } from 'commander';
import { OperatorError } from '../config/operator-error.js';
import type { ErrorCode } from '../errors/registry.js';
import type { UserProblem } from '../errors/user-problem.js';
import { jsonText } from './terminal.js';

/** How a command that failed ends. */
export interface ErrorReport {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `EX_CONFIG` of sysexits.h: the operator can fix the problem. */
const OPERATOR_ERROR_EXIT_CODE = 78;

/**
 * Reports an error that a person can fix. As text, each problem is one line on stderr: `mdm-reflex: <message> [code]`. As JSON, stdout
 * gets one object, `{"errors":[{"code":"…","message":"…"}]}`, so that stdout is JSON whatever the outcome. A problem in a rule file
 * also has `file`, `line` and `column`.
 *
 * @returns undefined for an error that is a bug: its stack trace belongs on the screen.
 */
export function reportError(error: unknown, json: boolean): ErrorReport | undefined {
  if (error instanceof OperatorError) {
    return json
      ? { exitCode: OPERATOR_ERROR_EXIT_CODE, ...asJson(error.problems) }
      : { exitCode: OPERATOR_ERROR_EXIT_CODE, stdout: '', stderr: textOf(error.lines) };
  }
  if (!(error instanceof CommanderError)) return undefined;
  const { exitCode } = error;
  const code = COMMANDER_CODES[error.code];
  // Help and version: commander has printed them already.
  if (code === undefined) return { exitCode, stdout: '', stderr: '' };
  const message = messageOf(error);
  return json
    ? { exitCode, ...asJson([{ code, message }]) }
    : { exitCode, stdout: '', stderr: `${textOf([`${message} [${code}]`])}(add --help for usage)\n` };
}

const COMMANDER_CODES: Readonly<Record<string, ErrorCode>> = {
  'commander.unknownCommand': 'cli/unknown-command',
  'commander.unknownOption': 'cli/unknown-option',
  'commander.missingArgument': 'cli/missing-argument',
  'commander.optionMissingArgument': 'cli/missing-argument',
  'commander.missingMandatoryOptionValue': 'cli/missing-argument',
  'commander.excessArguments': 'cli/unexpected-argument',
};

/** `error: unknown option '--jsn'\n(Did you mean --json?)` as one line in the style of the other messages. */
function messageOf({ message }: CommanderError): string {
  return message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?');
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `mdm-reflex: ${line}\n`).join('');

function asJson(problems: readonly UserProblem[]): { stdout: string; stderr: string } {
  const errors = problems.map(({ text: _text, ...problem }) => problem);
  return { stdout: `${jsonText({ errors })}\n`, stderr: '' };
}
