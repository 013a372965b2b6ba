import { expect, test } from '@jest/globals';
import { rename, rm, writeFile } from 'node:fs/promises';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';
import { until } from '../../support/until.js';

const world = useWorld();

const rules = (message: string): string =>
  `rules: [{ id: greet, on: device.enrolled, do: [log: { message: ${message} }] }]\n`;

async function begin(): Promise<World & { path: string }> {
  const begun = await world.start({ rules: rules('one') });
  return Object.assign(begun, { path: begun.env['RULES_PATH'] ?? '' });
}

const readyz = async ({ service }: World): Promise<unknown> => (await fetch(`${service.url}/readyz`)).json();

/** What the rule says to a device that enrolls. */
async function said(current: World): Promise<unknown> {
  current.simulator.enroll({ kind: 'ipad' });
  await until('the event is taken', () => current.simulator.webhookDeliveries().at(-1)?.status === 202);
  return (await current.settled('device.enrolled')).runs[0]?.steps[0]?.output?.['message'];
}

test('rules that change are in force without a restart', async () => {
  const current = await begin();
  expect(await said(current)).toBe('one');
  await writeFile(current.path, rules('two') + '  # and nothing else\n');
  await until('the new rules are in force', () => current.log().includes('the changed rules are live'));
  expect(await said(current)).toBe('two');
});

test('a bad file leaves the old rules in force and says so; mended, it is taken', async () => {
  const current = await begin();
  await writeFile(current.path, rules('two').replace('log:', 'lgo:'));
  await until('the problem is told', () => current.log().includes('the previous rules stay live'));
  expect(current.log()).toContain('unknown action \\"lgo\\"; did you mean \\"log\\"?');
  expect(await readyz(current)).toMatchObject({
    rules: 1,
    rule_problems: 1,
    attention: ['1 problem in the rule files: mdm-reflex validate'],
  });
  // Everybody may ask: where the files are is not for everybody.
  expect(JSON.stringify(await readyz(current))).not.toContain('rules.yaml');
  expect(await current.metric('mdm_reflex_rule_file_problems')).toBe(1);
  expect(await current.metric('mdm_reflex_rules')).toBe(1);
  expect(await said(current)).toBe('one');

  await writeFile(current.path, rules('three'));
  await until(
    'the mended rules are in force',
    async () => (await current.metric('mdm_reflex_rule_file_problems')) === 0,
  );
  expect(await readyz(current)).not.toHaveProperty('rule_problems');
  expect(await said(current)).toBe('three');
});

test('a file that goes away and comes back as it was does no harm', async () => {
  const current = await begin();
  await rename(current.path, `${current.path}.away`);
  await until('it is missed', () => current.log().includes('no such file or folder'));
  expect(await said(current)).toBe('one');
  await rename(`${current.path}.away`, current.path);
  await until('it is there again', async () => (await current.metric('mdm_reflex_rule_file_problems')) === 0);
  await rm(current.path);
});

test('a reload that is asked for happens at once', async () => {
  const current = await begin();
  await writeFile(current.path, rules('two'));
  await current.service.reloadRules();
  expect(await said(current)).toBe('two');
});

test('schedules that could not be set are set as soon as they can be', async () => {
  const current = await begin();
  // Redis answers, and refuses.
  await current.client.set('mdm-reflex:schedules:repeat', 'not a list of schedules');
  await writeFile(current.path, rules('two').replace('on: device.enrolled', "on: { schedule: '0 0 1 1 *' }"));
  await current.service.reloadRules();
  await until('it is told', () => current.log().includes('could not be set; trying again'));
  await current.client.del('mdm-reflex:schedules:repeat');
  await until('they are set', async () => (await current.client.zcard('mdm-reflex:schedules:repeat')) === 1);
});

test('what is only probably a mistake is told once, and the rules are in force', async () => {
  const current = await world.start({ rules: rules('"${TOKEN}"') });
  expect(current.log().split('did you mean \\"${env:TOKEN}\\"?')).toHaveLength(2);
  expect(await said(current)).toBe('${TOKEN}');
});
