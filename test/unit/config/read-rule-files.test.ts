import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OperatorError } from '../../../src/config/operator-error.js';
import { readRuleFiles } from '../../../src/config/read-rule-files.js';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdm-reflex-rules-'));
  writeFileSync(join(folder, 'b.yaml'), 'b');
  writeFileSync(join(folder, 'a.yml'), 'a');
  writeFileSync(join(folder, 'notes.md'), 'no rules');
  writeFileSync(join(folder, '.hidden.yaml'), 'hidden');
  mkdirSync(join(folder, 'folder.yaml'));
  mkdirSync(join(folder, '..data'));
  writeFileSync(join(folder, '..data', 'c.yaml'), 'c');
  symlinkSync(join('..data', 'c.yaml'), join(folder, 'c.yaml'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('a folder: its YAML files by name, including links, without hidden files and folders', async () => {
  expect(await readRuleFiles(folder)).toEqual([
    { name: join(folder, 'a.yml'), text: 'a' },
    { name: join(folder, 'b.yaml'), text: 'b' },
    { name: join(folder, 'c.yaml'), text: 'c' },
  ]);
});

test('a single file, whatever its name', async () => {
  expect(await readRuleFiles(join(folder, 'notes.md'))).toEqual([
    { name: join(folder, 'notes.md'), text: 'no rules' },
  ]);
});

test('a file below the working directory has its relative name', async () => {
  const [found] = await readRuleFiles(join(process.cwd(), 'package.json'));
  expect(found?.name).toBe('package.json');
});

test('a missing path', async () => {
  const path = join(folder, 'none');
  await expect(readRuleFiles(path)).rejects.toThrow(
    new OperatorError([
      {
        code: 'settings/rules-path',
        message: `RULES_PATH ${path}: no such file or folder; expected a rule file or a folder of .yaml files`,
      },
    ]),
  );
});
