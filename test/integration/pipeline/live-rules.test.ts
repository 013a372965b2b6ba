import { afterEach, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import type { Vocabulary } from '../../../src/rules/model/vocabulary.js';
import { openLiveRules } from '../../../src/service/live-rules.js';
import type { LiveRules } from '../../../src/service/live-rules.js';
import { temporaryFolder } from '../../support/process.js';
import { until } from '../../support/until.js';

type Referents = Vocabulary['catalogs'];

const HAS_LAPTOPS: Referents = () => ({ 'device group': [{ id: 41, name: 'Laptops' }] });

let rules: LiveRules | undefined;
let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;

afterEach(async () => {
  await rules?.stop();
  await folder?.remove();
  rules = undefined;
});

const text = (id: string, group = 'Laptops'): string =>
  `rules: [{ id: ${id}, on: device.enrolled, do: [assign_device_group: { group: ${group} }] }]\n`;

/** Rules in a file that changes, with a SimpleMDM that is asked as the test says. */
async function begin(first: string, catalogs: () => Promise<Referents>) {
  folder = await temporaryFolder({ 'rules.yaml': first });
  const path = join(folder.path, 'rules.yaml');
  const told: string[][] = [];
  const opened = await openLiveRules({
    path,
    vocabulary: serviceVocabulary({}, ['default']),
    onRules: () => undefined,
    onProblems: () => undefined,
    onReferenceProblems: (problems) => told.push(problems.map((problem) => problem.text)),
    catalogs,
    pollIntervalMs: 20,
    recheckIntervalMs: 50,
  });
  rules = opened;
  return {
    rules: opened,
    told,
    write: (content: string) => writeFile(path, content),
    inForce: () => opened.current().map(({ source }) => source.id),
  };
}

test('a file that changes while another is being taken comes in force behind it', async () => {
  let answer: () => Promise<Referents> = () => Promise.resolve(HAS_LAPTOPS);
  const { rules: opened, write, inForce } = await begin(text('one'), () => answer());
  let asked = false;
  let release = (): void => undefined;
  const slow = new Promise<Referents>((resolve) => (release = () => resolve(HAS_LAPTOPS)));
  answer = () => {
    asked = true;
    answer = () => Promise.resolve(HAS_LAPTOPS);
    return slow;
  };
  await write(text('two'));
  const reload = opened.reload();
  await until('the file has been read', () => asked);
  // Who comes later must not overtake it.
  await write(text('three'));
  await until('another overtakes it', () => inForce().join() === 'three', 300).catch(() => undefined);
  release();
  await reload;
  await until('the newest file is in force', () => inForce().join() === 'three', 2000);
});

test('what rules name is looked at later when they came in force while SimpleMDM was away', async () => {
  let answer: Referents = HAS_LAPTOPS;
  const { rules: opened, write, told, inForce } = await begin(text('one'), () => Promise.resolve(answer));
  answer = undefined;
  await write(text('two', 'Laptpos'));
  await opened.reload();
  expect(inForce()).toEqual(['two']);
  expect(told).toEqual([]);
  // A bad file leaves them in force, and so their check on its way.
  await write('rules: [oops]\n');
  await until('it is refused', () => opened.problems().length > 0);
  answer = HAS_LAPTOPS;
  const [problems] = await until('it is told', () => told.length > 0 && told);
  expect(problems?.[0]).toContain('"Laptpos"');
  expect(opened.referenceProblems().map((problem) => problem.text)).toEqual(problems);
  await write(text('three'));
  await until('the mended file is in force', () => inForce().join() === 'three');
  expect(opened.referenceProblems()).toEqual([]);
});

test('what was not there and is made in SimpleMDM is found without anybody touching the files', async () => {
  let groups = [{ id: 41, name: 'Laptops' }];
  const {
    rules: opened,
    write,
    told,
    inForce,
  } = await begin(text('one', 'Phones'), () => Promise.resolve(() => ({ 'device group': groups })));
  await until('the first rules are told of', () => told.length === 1);
  groups = [...groups, { id: 42, name: 'Phones' }];
  await until('it is mended', () => told.length === 2);
  expect(told[1]).toEqual([]);
  expect(opened.referenceProblems()).toEqual([]);
  await write(text('two', 'Tablets'));
  await opened.reload();
  expect(inForce()).toEqual(['one']);
  groups = [...groups, { id: 43, name: 'Tablets' }];
  await until('the refused file is taken', () => inForce().join() === 'two');
  expect(opened.problems()).toEqual([]);
});
