import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readRuleFiles } from '../../../src/config/read-rule-files.js';

let root = '';
let rules = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mdm-reflex-data-'));
  rules = join(root, 'rules');
  mkdirSync(join(rules, 'data'), { recursive: true });
  mkdirSync(join(rules, '..2026'));
  writeFileSync(join(root, 'secret.csv'), 'key,value\na,secret\n');
  writeFileSync(join(rules, 'staff.csv'), 'key,name\na,Ada\n');
  writeFileSync(join(rules, 'data', 'rooms.csv'), 'key,room\na,1\n');
  writeFileSync(join(rules, '..2026', 'mounted.csv'), 'key,name\na,Ada\n');
  symlinkSync(join('..2026', 'mounted.csv'), join(rules, 'mounted.csv'));
  symlinkSync(join(root, 'secret.csv'), join(rules, 'link.csv'));
  writeFileSync(join(rules, 'bom.csv'), '\uFEFFkey,name\na,Ada\n');
  writeFileSync(join(rules, 'utf16.csv'), Buffer.from('\uFEFFkey,name\na,Ada\n', 'utf16le'));
  writeFileSync(join(rules, 'latin1.csv'), Buffer.from('key,name\na,Müller\n', 'latin1'));
  // Reading it would wait for a writer, and no rule file would be loaded again.
  execFileSync('mkfifo', [join(rules, 'pipe.csv')]);
  mkdirSync(join(rules, 'data.csv'));
  writeFileSync(join(rules, 'huge.csv'), '');
  truncateSync(join(rules, 'huge.csv'), 20_000_001);
});

afterAll(() => rmSync(root, { recursive: true }));

/** What the rule file `a.yaml` gets for a file that it names. */
async function contentOf(file: string) {
  const path = join(rules, 'a.yaml');
  writeFileSync(path, `lookups:\n  one: { file: ${JSON.stringify(file)}, key: key }\n`);
  const [found] = await readRuleFiles(path);
  return found?.data?.[0]?.content;
}

const ADA = { text: 'key,name\na,Ada\n' };

test('a file beside the rule file, in a folder below, behind the links of a mounted config map, with a byte order mark', async () => {
  expect(await contentOf('staff.csv')).toEqual(ADA);
  expect(await contentOf('./data/rooms.csv')).toEqual({ text: 'key,room\na,1\n' });
  expect(await contentOf('mounted.csv')).toEqual(ADA);
  expect(await contentOf('bom.csv')).toEqual(ADA);
});

test.each(['../secret.csv', 'data/../../secret.csv', 'link.csv'])(
  '%s leaves the folder of the rules',
  async (file) => {
    expect(await contentOf(file)).toEqual({
      problem: `${file} is outside of the folder of the rules: put it into that folder`,
    });
  },
);

test('an absolute path leaves the folder, even when it leads back', async () => {
  const file = join(rules, 'staff.csv');
  expect(await contentOf(file)).toMatchObject({
    problem: expect.stringContaining('is outside of the folder'),
  });
});

test.each([
  ['none.csv', { problem: 'none.csv cannot be read: no such file; expected a file beside the rule file' }],
  [
    'utf16.csv',
    {
      problem: 'this file is UTF-16 or not a text: save the file as UTF-8 (in Excel: "CSV UTF-8")',
      line: 1,
      column: 1,
    },
  ],
  [
    'latin1.csv',
    {
      problem:
        'latin1.csv is not UTF-8 (Windows-1252 or Latin-1?): save the file as UTF-8 (in Excel: "CSV UTF-8")',
      line: 2,
      column: 4,
    },
  ],
  ['pipe.csv', { problem: 'pipe.csv is not a file; expected a file beside the rule file' }],
  ['data.csv', { problem: 'data.csv is not a file; expected a file beside the rule file' }],
  ['huge.csv', { problem: 'huge.csv has 20000001 bytes; at most 20000000 are read' }],
])('%s cannot be used', async (file, problem) => {
  expect(await contentOf(file)).toEqual(problem);
});

test('a folder of rules: the data file of each rule file, by the short form as well', async () => {
  writeFileSync(join(rules, 'a.yaml'), 'lookups:\n  staff: staff.csv\n');
  writeFileSync(join(rules, 'b.yaml'), 'rules: []\n');
  const files = await readRuleFiles(rules);
  expect(files.map(({ data }) => data?.map(({ name }) => name))).toEqual([
    [join(rules, 'staff.csv')],
    undefined,
  ]);
});

test('a folder of rules: a YAML file that a lookup names holds rows and no rules', async () => {
  const folder = join(root, 'yaml');
  mkdirSync(folder);
  const rooms = '- { key: a, room: 1 }\n';
  writeFileSync(
    join(folder, 'a.yaml'),
    'lookups:\n  rooms: { file: ./rooms.yaml, key: key }\n  b: { file: b.yml }\n',
  );
  writeFileSync(join(folder, 'rooms.yaml'), rooms);
  // Rules that a lookup names by mistake are not lost.
  writeFileSync(join(folder, 'b.yml'), 'rules: []\n');
  const files = await readRuleFiles(folder);
  expect(files.map(({ name }) => name)).toEqual([join(folder, 'a.yaml'), join(folder, 'b.yml')]);
  expect(files[0]?.data?.[0]?.content).toEqual({ text: rooms });
});
