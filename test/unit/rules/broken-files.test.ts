import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/rule-file.js';
import type { ReferenceCatalog, Vocabulary } from '../../../src/rules/model/vocabulary.js';

/** Each rule file here is broken in one way that people break them, with what is said of it beside it, to the letter. */
const FOLDER = join(import.meta.dirname, 'broken');

const ACCOUNT: ReferenceCatalog = {
  'assignment group': [{ id: 51, name: 'Everyone' }],
  'custom attribute': [{ id: 'department', name: 'department' }],
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

test('there are at least a hundred of them, each with its messages', () => {
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(readdirSync(FOLDER).sort()).toEqual(names.flatMap((name) => [`${name}.txt`, `${name}.yaml`]).sort());
});

test.each(names)('%s', (name) => {
  const text = readFileSync(join(FOLDER, `${name}.yaml`), 'utf8');
  const { problems, warnings } = compileRuleFiles([{ name: `${name}.yaml`, text }], VOCABULARY);
  const said = [...problems, ...warnings.map((warning) => `warning: ${warning}`)];
  expect(`${said.join('\n')}\n`).toBe(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
});
