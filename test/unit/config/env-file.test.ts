import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openEnvFile, problemsInEnvFile } from '../../../src/config/env-file.js';
import { temporaryFolder } from '../../support/process.js';

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

describe('a .env file as a part of the environment', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder({ '.env': 'A=1\nB="two words"\nOWN=file\nEMPTY=file\n' });
  });
  afterEach(() => folder.remove());

  test('variables that are set elsewhere win, also empty ones, and also later', () => {
    const env: NodeJS.ProcessEnv = { OWN: 'process', EMPTY: '' };
    const file = openEnvFile(join(folder.path, '.env'), env);
    expect(env).toEqual({ A: '1', B: 'two words', OWN: 'process', EMPTY: '' });
    expect(file.apply('OWN=other\nEMPTY=other\nA=1\nB="two words"')).toEqual([]);
    expect(env).toEqual({ A: '1', B: 'two words', OWN: 'process', EMPTY: '' });
  });

  test('changed, new and removed variables are in the environment after they were announced', () => {
    const env: NodeJS.ProcessEnv = {};
    const file = openEnvFile(join(folder.path, '.env'), env);
    const before = { ...env };
    const announced: unknown[] = [];
    const changed = file.apply('C=3\nA=one\nOWN=file\nEMPTY=file', (variables) => {
      announced.push(variables);
      expect(env).toEqual(before);
    });
    expect(changed).toEqual(['A', 'B', 'C']);
    expect(announced).toEqual([{ A: 'one', B: undefined, C: '3' }]);
    expect(env).toEqual({ A: 'one', C: '3', OWN: 'file', EMPTY: 'file' });
  });

  test('an invalid text, and a file that is gone, change nothing', async () => {
    const env: NodeJS.ProcessEnv = {};
    const path = join(folder.path, '.env');
    const file = openEnvFile(path, env);
    const before = { ...env };
    expect(() => file.apply('A=other\nhunter2\n')).toThrow(/\.env:2: not an assignment/);
    await rm(path);
    expect(file.read()).toBeUndefined();
    expect(file.apply(file.read())).toEqual([]);
    expect(env).toEqual(before);
    await writeFile(path, 'A=other');
    expect(file.apply(file.read())).toEqual(['A', 'B', 'EMPTY', 'OWN']);
  });
});
