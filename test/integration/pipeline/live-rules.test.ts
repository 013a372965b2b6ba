import { afterEach, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import type { Vocabulary } from '../../../src/rules/model/vocabulary.js';
import { openLiveRules } from '../../../src/service/live-rules.js';
import type { LiveRules } from '../../../src/service/live-rules.js';
import { temporaryFolder } from '../../support/process.js';
import { until } from '../../support/until.js';

type Catalogs = Vocabulary['catalogs'];

const HAS_LAPTOPS: Catalogs = () => ({ 'device group': [{ id: 41, name: 'Laptops' }] });

let rules: LiveRules | undefined;
let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;

afterEach(async () => {
  await rules?.stop();
  await folder?.remove();
  rules = undefined;
});

const text = (id: string, group = 'Laptops'): string =>
  `rules: [{ id: ${id}, on: device.enrolled, do: [assign_device_group: { group: ${group} }] }]\n`;

/** Live rules from a file, with the catalogs that the test provides. */
async function begin(first: string, catalogs: () => Promise<Catalogs>) {
  folder = await temporaryFolder({ 'rules.yaml': first });
  const path = join(folder.path, 'rules.yaml');
  const reported: string[][] = [];
  const opened = await openLiveRules({
    path,
    vocabulary: serviceVocabulary({}, ['default']),
    onRules: () => undefined,
    onProblems: () => undefined,
    onReferenceProblems: (problems) => reported.push(problems.map((problem) => problem.text)),
    catalogs,
    pollIntervalMs: 20,
    recheckIntervalMs: 50,
  });
  rules = opened;
  return {
    rules: opened,
    reported,
    write: (content: string) => writeFile(path, content),
    liveIds: () => opened.current().map(({ source }) => source.id),
  };
}

test('a file that changes during a reload is loaded after that reload', async () => {
  let answer: () => Promise<Catalogs> = () => Promise.resolve(HAS_LAPTOPS);
  const { rules: opened, write, liveIds } = await begin(text('one'), () => answer());
  let asked = false;
  let release = (): void => undefined;
  const slow = new Promise<Catalogs>((resolve) => (release = () => resolve(HAS_LAPTOPS)));
  answer = () => {
    asked = true;
    answer = () => Promise.resolve(HAS_LAPTOPS);
    return slow;
  };
  await write(text('two'));
  const reload = opened.reload();
  await until('the file has been read', () => asked);
  // The poll finds the later change meanwhile, which must not overtake the reload.
  await write(text('three'));
  await delay(300);
  release();
  await reload;
  await until('the newest file is loaded', () => liveIds().join() === 'three');
});

test('references are checked later when SimpleMDM was unavailable at the reload', async () => {
  let answer: Catalogs = HAS_LAPTOPS;
  const { rules: opened, write, reported, liveIds } = await begin(text('one'), () => Promise.resolve(answer));
  answer = undefined;
  await write(text('two', 'Laptpos'));
  await opened.reload();
  expect(liveIds()).toEqual(['two']);
  expect(reported).toEqual([]);
  // An invalid file leaves the rules live, so their check still runs.
  await write('rules: [oops]\n');
  await until('the file is refused', () => opened.problems().length > 0);
  answer = HAS_LAPTOPS;
  const [problems] = await until('the problem is reported', () => reported.length > 0 && reported);
  expect(problems?.[0]).toContain('"Laptpos"');
  expect(opened.referenceProblems().map((problem) => problem.text)).toEqual(problems);
  await write(text('three'));
  await until('the corrected file is loaded', () => liveIds().join() === 'three');
  expect(opened.referenceProblems()).toEqual([]);
});

test('a reference that is created in SimpleMDM is found without a change of the files', async () => {
  let groups = [{ id: 41, name: 'Laptops' }];
  const {
    rules: opened,
    write,
    reported,
    liveIds,
  } = await begin(text('one', 'Phones'), () => Promise.resolve(() => ({ 'device group': groups })));
  await until('the problem of the first rules is reported', () => reported.length === 1);
  groups = [...groups, { id: 42, name: 'Phones' }];
  await until('the problem is gone', () => reported.length === 2);
  expect(reported[1]).toEqual([]);
  expect(opened.referenceProblems()).toEqual([]);
  await write(text('two', 'Tablets'));
  await opened.reload();
  expect(liveIds()).toEqual(['one']);
  groups = [...groups, { id: 43, name: 'Tablets' }];
  await until('the refused file is loaded', () => liveIds().join() === 'two');
  expect(opened.problems()).toEqual([]);
});
