import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { ReferenceCatalog, Vocabulary } from '../../../src/rules/model/vocabulary.js';

/** Each rule file here has one typical mistake. The .txt file beside it holds the exact messages. */
const FOLDER = join(import.meta.dirname, 'broken');

const ACCOUNT: ReferenceCatalog = {
  'assignment group': [{ id: 51, name: 'Everyone' }],
  'custom attribute': [{ id: 'department', name: 'department' }],
  declaration: [{ id: 81, name: 'Safari bookmarks' }],
  'DEP server': [{ id: 71, name: 'ABM' }],
  'device group': [
    { id: 41, name: 'Laptops' },
    { id: 42, name: 'Lab' },
    { id: 43, name: 'Lab' },
  ],
  enrollment: [{ id: 5, name: 'Laptops' }],
  profile: [{ id: 61, name: 'Wi-Fi' }],
  script: [{ id: 31, name: 'Say hi' }],
};

const VOCABULARY: Vocabulary = {
  ...serviceVocabulary({ SET: 'a value' }, ['acme', 'globex']),
  catalogs: () => ACCOUNT,
};

const names = readdirSync(FOLDER).flatMap((name) => (name.endsWith('.yaml') ? [name.slice(0, -5)] : []));

test('there are at least a hundred files, each with its messages', () => {
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(readdirSync(FOLDER).sort()).toEqual(names.flatMap((name) => [`${name}.txt`, `${name}.yaml`]).sort());
});

test.each(names)('%s', (name) => {
  const text = readFileSync(join(FOLDER, `${name}.yaml`), 'utf8');
  const { problems, warnings } = compileRuleFiles([{ name: `${name}.yaml`, text }], VOCABULARY);
  const lines = [
    ...problems.map((problem) => problem.text),
    ...warnings.map((warning) => `warning: ${warning.text}`),
  ];
  expect(`${lines.join('\n')}\n`).toBe(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
});
