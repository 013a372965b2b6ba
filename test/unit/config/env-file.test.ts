import { describe, expect, test } from '@jest/globals';
import { problemsInEnvFile } from '../../../src/config/env-file.js';

describe('lines of a .env file', () => {
  test.each([
    ['NAME=value\nOTHER = value\n'],
    ['# a comment\n\n  # another\n'],
    ['export NAME=value'],
    ['NAME="two\nlines"\nOTHER=\'three\nmore\nlines\' # and a comment\n'],
    ['NAME=value\r\nOTHER=value\r\n'],
    [''],
  ])('%j is valid', (text) => {
    expect(problemsInEnvFile(text)).toEqual([]);
  });

  test('other lines are reported by number and not quoted', () => {
    expect(problemsInEnvFile('A="x\ny"\nTOKEN: hunter2\nhunter2\n')).toEqual([
      '3: not an assignment; expected TOKEN=…, or # before a comment',
      '4: not an assignment; expected NAME=value, or # before a comment',
    ]);
  });
});
