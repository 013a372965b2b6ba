import { describe, expect, test } from '@jest/globals';
import { createProgram } from '../../../src/cli/program.js';
import { reportError } from '../../../src/cli/report-error.js';
import type { ErrorReport } from '../../../src/cli/report-error.js';
import { OperatorError } from '../../../src/config/operator-error.js';
import { problemAt } from '../../../src/rules/model/problem.js';

/** Runs a command line that commander refuses. */
async function refused(args: readonly string[], json = false): Promise<ErrorReport | undefined> {
  const program = createProgram('1.2.3', { env: {}, paint: (_style, text) => text, print: () => undefined });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return reportError(error, json);
  }
  throw new Error('the command line was accepted');
}

describe('errors of the command line', () => {
  test.each([
    [
      'an unknown command',
      ['evnets'],
      `unknown command 'evnets'; did you mean events? [cli/unknown-command]`,
    ],
    [
      'an unknown subcommand',
      ['held', 'lst'],
      `unknown command 'lst'; did you mean list? [cli/unknown-command]`,
    ],
    [
      'an unknown option',
      ['events', '--jsn'],
      `unknown option '--jsn'; did you mean --json? [cli/unknown-option]`,
    ],
    ['a missing argument', ['events', 'show'], `missing required argument 'id' [cli/missing-argument]`],
    [
      'a missing option',
      ['explain'],
      `required option '--event <event>' not specified [cli/missing-argument]`,
    ],
    [
      'an option without its value',
      ['explain', '--event'],
      `option '--event <event>' argument missing [cli/missing-argument]`,
    ],
    [
      'too many arguments',
      ['held', 'release', 'a', 'b'],
      `too many arguments for 'release'. Expected 1 argument but got 2. [cli/unexpected-argument]`,
    ],
  ])('%s', async (_what, args, line) => {
    expect(await refused(args)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `mdm-reflex: ${line}\n(add --help for usage)\n`,
    });
  });

  test('as JSON', async () => {
    const report = await refused(['events', 'show', '--json'], true);
    expect(report).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(report?.stdout ?? '')).toEqual({
      errors: [{ code: 'cli/missing-argument', message: `missing required argument 'id'` }],
    });
  });
});

describe('errors of the operator', () => {
  const error = new OperatorError([
    { code: 'cli/unknown-event', message: 'there is no event "x"' },
    { code: 'cli/invalid-option', message: '--limit: expected a number\nfrom 1 to 100' },
  ]);

  test('one line per problem, with its code at the end of the first line', () => {
    expect(reportError(error, false)).toEqual({
      exitCode: 78,
      stdout: '',
      stderr:
        'mdm-reflex: there is no event "x" [cli/unknown-event]\n' +
        'mdm-reflex: --limit: expected a number [cli/invalid-option]\nfrom 1 to 100\n',
    });
  });

  test('as JSON: one object on standard output', () => {
    const report = reportError(error, true);
    expect(report).toMatchObject({ exitCode: 78, stderr: '' });
    expect(JSON.parse(report?.stdout ?? '')).toEqual({
      errors: [
        { code: 'cli/unknown-event', message: 'there is no event "x"' },
        { code: 'cli/invalid-option', message: '--limit: expected a number\nfrom 1 to 100' },
      ],
    });
  });

  test('a problem in a rule file: with its position, and without the printable form', () => {
    const place = { file: 'rules/a.yaml', line: 5, column: 16 };
    const code = 'rule/unknown-field';
    const problem = problemAt(place, { code, message: 'unknown field "platfrom"' }, ['    if: …']);
    expect(reportError(new OperatorError([problem]), false)?.stderr).toBe(
      'mdm-reflex: rules/a.yaml:5:16: unknown field "platfrom" [rule/unknown-field]\n    if: …\n',
    );
    expect(JSON.parse(reportError(new OperatorError([problem]), true)?.stdout ?? '')).toEqual({
      errors: [{ code, message: 'unknown field "platfrom"', ...place }],
    });
  });

  test('a bug is not reported: its stack trace stays', () => {
    expect(reportError(new TypeError('x is not a function'), false)).toBeUndefined();
  });
});
