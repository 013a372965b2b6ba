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

/** The message that the rule logs for an enrolled device. */
async function loggedMessage(current: World): Promise<unknown> {
  current.simulator.enroll({ kind: 'ipad' });
  await until('the event is accepted', () => current.simulator.webhookDeliveries().at(-1)?.status === 202);
  return (await current.settled('device.enrolled')).runs[0]?.steps[0]?.output?.['message'];
}

test('changed rules are loaded without a restart', async () => {
  const current = await begin();
  expect(await loggedMessage(current)).toBe('one');
  await writeFile(current.path, rules('two') + '  # and nothing else\n');
  await until('the new rules are loaded', () => current.log().includes('the changed rules are live'));
  expect(await loggedMessage(current)).toBe('two');
});

test('an invalid file does not replace the live rules; the corrected file does', async () => {
  const current = await begin();
  await writeFile(current.path, rules('two').replace('log:', 'lgo:'));
  await until('the problem is logged', () => current.log().includes('the previous rules stay live'));
  expect(current.log()).toContain('unknown action \\"lgo\\"; did you mean \\"log\\"?');
  expect(await readyz(current)).toMatchObject({
    rules: 1,
    rule_problems: 1,
    attention: ['1 problem in the rule files: mdm-reflex validate'],
  });
  // /readyz needs no token, so it must not show paths.
  expect(JSON.stringify(await readyz(current))).not.toContain('rules.yaml');
  expect(await current.metric('mdm_reflex_rule_file_problems')).toBe(1);
  expect(await current.metric('mdm_reflex_rules')).toBe(1);
  expect(await loggedMessage(current)).toBe('one');

  await writeFile(current.path, rules('three'));
  await until(
    'the corrected rules are loaded',
    async () => (await current.metric('mdm_reflex_rule_file_problems')) === 0,
  );
  expect(await readyz(current)).not.toHaveProperty('rule_problems');
  expect(await loggedMessage(current)).toBe('three');
});

test('a file that disappears and comes back unchanged is loaded again', async () => {
  const current = await begin();
  await rename(current.path, `${current.path}.away`);
  await until('the missing file is logged', () => current.log().includes('no such file or folder'));
  expect(await loggedMessage(current)).toBe('one');
  await rename(`${current.path}.away`, current.path);
  await until(
    'the problem is gone',
    async () => (await current.metric('mdm_reflex_rule_file_problems')) === 0,
  );
  await rm(current.path);
});

test('a requested reload happens without delay', async () => {
  const current = await begin();
  await writeFile(current.path, rules('two'));
  await current.service.reloadRules();
  expect(await loggedMessage(current)).toBe('two');
});

test('schedules that could not be written are written when Redis allows it', async () => {
  const current = await begin();
  // Redis refuses the write because of the type of the key.
  await current.client.set('mdm-reflex:schedules:repeat', 'not a list of schedules');
  await writeFile(current.path, rules('two').replace('on: device.enrolled', "on: { schedule: '0 0 1 1 *' }"));
  await current.service.reloadRules();
  await until('the failure is logged', () =>
    current.log().includes('could not be written to Redis; retrying'),
  );
  await current.client.del('mdm-reflex:schedules:repeat');
  await until(
    'the schedule is written',
    async () => (await current.client.zcard('mdm-reflex:schedules:repeat')) === 1,
  );
});

test('a warning is logged once, and the rules are loaded', async () => {
  const current = await world.start({ rules: rules('"${TOKEN}"') });
  expect(current.log().split('did you mean \\"${env:TOKEN}\\"?')).toHaveLength(2);
  expect(await loggedMessage(current)).toBe('${TOKEN}');
});
