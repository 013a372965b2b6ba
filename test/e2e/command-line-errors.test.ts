import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { CLI } from '../support/process.js';

const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [CLI, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', DATA_DIR: '/nowhere' },
    encoding: 'utf8',
  });

test('an error goes to standard error, with its code', () => {
  expect(run('held', 'list')).toMatchObject({
    status: 78,
    stdout: '',
    stderr: expect.stringMatching(
      /^mdm-reflex: no service runs with DATA_DIR \/nowhere; [^\n]* \[cli\/no-service\]\n$/,
    ),
  });
});

test('with --json, standard output is one JSON object', () => {
  const { status, stdout, stderr } = run('held', 'list', '--json');
  expect({ status, stderr }).toEqual({ status: 78, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    errors: [
      {
        code: 'cli/no-service',
        message: expect.stringMatching(/^no service runs with DATA_DIR \/nowhere; [^[]*$/),
      },
    ],
  });
});

test('help and version are no errors', () => {
  expect(run('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^Usage: mdm-reflex/),
    stderr: '',
  });
  expect(run('--version')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  });
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^Usage: mdm-reflex/) });
});

test('an event that is named by its id takes no filter', () => {
  expect(run('events', 'replay', '6c176e', '--status', 'failed', '--since', '1d')).toMatchObject({
    status: 78,
    stdout: '',
    stderr:
      'mdm-reflex: --status: one event is named by its id; leave this option out [cli/invalid-option]\n' +
      'mdm-reflex: --since: one event is named by its id; leave this option out [cli/invalid-option]\n',
  });
});
