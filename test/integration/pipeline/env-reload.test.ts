import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';

const world = useWorld();

const rules = (contact: string): string => `
rules:
  - id: invite
    on: test_event
    do: [send_invitation: { enrollment: 6, contact: "${contact}" }]
`;

/** Writes `.env`, as an admin with an editor does. */
const writeEnv = (current: World, text: string): Promise<void> =>
  writeFile(join(dirname(current.env['RULES_PATH'] ?? ''), '.env'), text);

/** Sends a test event, and gives the contacts of all invitations so far. */
async function contactsAfterEvent(current: World): Promise<string[]> {
  const before = current.simulator.invitations().length;
  current.simulator.sendTestEvent();
  await until('the invitation is sent', () => current.simulator.invitations().length > before);
  await current.settled('test_event');
  return current.simulator.invitations().map(({ contact }) => contact);
}

test('changed variables reach rules within seconds, masked before use; settings need a restart', async () => {
  const current = await world.start({
    rules: rules('${env:WHO}.${env:OWN}@example.org'),
    envFile: 'WHO=first-secret-4711\nOWN=of-the-file\nAPI_TIMEOUT_MS=30000\n',
    env: { OWN: 'of-the-process' },
  });
  expect(await contactsAfterEvent(current)).toEqual(['first-secret-4711.of-the-process@example.org']);

  await writeEnv(
    current,
    `WHO=second-secret-4712\nOWN=changed\nAPI_TIMEOUT_MS=40000\nADMIN_TOKEN=${ADMIN_TOKEN}x\nUNUSED=third-secret-4713\n`,
  );
  await until('the variables are in use', () => current.log().includes('changed variables are in use'));
  expect(current.log()).toMatch(/"names":\["UNUSED","WHO"\],"msg":"\.env was read again/);
  // ADMIN_TOKEN comes from the process, so the file cannot change it.
  expect(current.log()).toMatch(/"code":"settings\/restart-needed","names":\["API_TIMEOUT_MS"\]/);
  expect((await contactsAfterEvent(current)).at(-1)).toBe('second-secret-4712.of-the-process@example.org');

  await writeEnv(current, 'WHO=never\nnot-an-assignment-4714\n');
  await until('the problem is logged', () => current.log().includes('"code":"settings/env-file"'));
  expect((await contactsAfterEvent(current)).at(-1)).toBe('second-secret-4712.of-the-process@example.org');

  const texts = current.log() + (await everythingIn(current.client));
  for (const secret of [
    'first-secret-4711',
    'second-secret-4712',
    'third-secret-4713',
    'not-an-assignment-4714',
  ])
    expect(texts).not.toContain(secret);
});

test('a rule that waits for its variable becomes live when .env gets it, without a change of the rule', async () => {
  const current = await world.start({ rules: rules('old@example.org'), envFile: '' });
  await writeFile(current.env['RULES_PATH'] ?? '', rules('${env:NEW_CONTACT}'));
  await until('the problem is logged', () =>
    current.log().includes('NEW_CONTACT is not set: write it into .env, which a running service reads again'),
  );
  expect(await contactsAfterEvent(current)).toEqual(['old@example.org']);
  await writeEnv(current, 'NEW_CONTACT=new-4715@example.org\n');
  await until('the rule is live', () => current.log().includes('the changed rules are live'));
  expect((await contactsAfterEvent(current)).at(-1)).toBe('new-4715@example.org');
});

test('a process without rules reads .env when it is asked to, as SIGHUP does', async () => {
  const current = await world.start({
    rules: '',
    envFile: 'PUBLIC_URL=http://a.test\n',
    roles: ['receiver'],
  });
  await writeEnv(current, 'PUBLIC_URL=http://b.test\n');
  await current.service.reloadRules();
  expect(current.log()).toMatch(/"code":"settings\/restart-needed","names":\["PUBLIC_URL"\]/);
});
