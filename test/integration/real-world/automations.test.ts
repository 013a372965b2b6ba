import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { testRules } from '../../../src/cli/rule-tests.js';
import { validateRules } from '../../../src/cli/validate.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { runId, wakeJob } from '../../../src/queues/queues.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { FOLDER, TOKEN, completed, ended, startCompany } from './company.js';
import type { Company } from './company.js';
import { openShards } from '../../../src/queues/shards.js';

/**
 * Twenty automations that people asked for in public, written as an admin writes them: one file each, all in one folder, all live at
 * the same time. Each test makes happen what the automation waits for, and looks at what arrives at SimpleMDM, the chat and the mailbox.
 */
let company: Company;

beforeAll(async () => {
  company = await startCompany();
});

// A test that fails must not leave slow devices to the next one.
afterEach(() => company.release());

afterAll(() => company.stop());

const ENROLLED = 'device.enrolled';
const DAY_H = 24;

/** The record of a device at SimpleMDM. */
const record = (id: number): Record<string, unknown> => ({
  ...company.world.simulator.device(id)?.attributes,
});

/** The number of calls of a method and path that arrived at SimpleMDM. */
const calls = (call: string): number => company.world.calls().filter((made) => made === call).length;

/** The trace of the newest event about a device, once it is as expected. */
const traceOf = ({ id }: { readonly id: number }, is: (trace: Trace) => boolean): Promise<Trace> =>
  until(`the device ${id} has come this far`, async () => {
    const { events } = await findEvents(openShards(company.world.client), { device: String(id), limit: 1 });
    const trace = events[0] && (await findTrace(openShards(company.world.client), events[0].id));
    return trace !== undefined && is(trace) && trace;
  });

test('there are twenty files, the rules are valid, and all that they name exists', async () => {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'));
  // Two more files: the channels, and the list of sites.
  expect(files).toHaveLength(22);
  const { output } = await validateRules(company.world.env, {
    path: FOLDER,
    json: true,
    strict: true,
    offline: false,
    ignoreEnv: false,
  });
  expect(JSON.parse(output)).toMatchObject({
    valid: true,
    problems: [],
    warnings: [],
    references: 'checked',
  });
});

test('an Apple TV gets its name as soon as it has reported its serial number', async () => {
  company.hold();
  const tv = company.enroll({ kind: 'apple_tv', serialNumber: 'DY5ZTEST0417', inventoryMs: 30 });
  const waiting = await traceOf(tv, ({ status }) => status === 'waiting');
  expect(waiting.decisions.find(({ rule }) => rule === 'name-apple-tvs')).toMatchObject({
    verdict: 'waiting',
    reason: expect.stringContaining('waiting for inventory: '),
  });
  expect(calls(`PATCH /devices/${tv.id}`)).toBe(0);
  company.release();
  await completed(company, 'name-apple-tvs', tv, ENROLLED);
  expect(record(tv.id)).toMatchObject({ name: 'TV 0417' });
});

test('a Mac gets the name from a list, and a Mac that is not on the list keeps its name', async () => {
  const listed = company.enroll({ kind: 'macbook', serialNumber: 'C02LISTED0001' });
  const other = company.enroll({ kind: 'macbook', name: 'Not listed' });
  await completed(company, 'name-from-list', listed, ENROLLED);
  expect(record(listed.id)).toMatchObject({ name: 'MBP-0042' });
  expect((await ended(company, 'name-from-list', other, ENROLLED)).verdict).toBe('not_matched');
  expect(record(other.id)).toMatchObject({ name: 'Not listed' });
});

test('an iPad is called like its asset tag, with the leading zeros, and one without a tag keeps its name', async () => {
  const tagged = company.enroll({ kind: 'ipad', name: 'Tagged', webhook: false });
  await company.api.customAttributes.setValueForDevice(tagged.id, 'asset_tag', '000123');
  await company.postEnrolled(tagged);
  await completed(company, 'name-by-asset-tag', tagged, ENROLLED);
  expect(record(tagged.id)).toMatchObject({ name: '000123' });

  const untagged = company.enroll({ kind: 'ipad', name: 'Untagged' });
  expect(await ended(company, 'name-by-asset-tag', untagged, ENROLLED)).toMatchObject({
    verdict: 'not_matched',
    reason: expect.stringContaining('attributes.asset_tag is null'),
  });
  expect(record(untagged.id)).toMatchObject({ name: 'Untagged' });
});

test('an asset is created with a login, and the token is nowhere to be read', async () => {
  const phone = company.enroll({ kind: 'iphone', name: 'Ada’s iPhone' });
  await completed(company, 'asset-in-snipe-it', phone, ENROLLED);
  const requests = [...company.posted('/assets/login'), ...company.posted('/assets/hardware')];
  expect(requests).toMatchObject([
    { text: 'user=mdm&password=password-of-the-inventory-system' },
    {
      headers: { authorization: `Bearer ${TOKEN}` },
      body: {
        serial: phone.serialNumber,
        name: 'Ada’s iPhone',
        asset_tag: String(phone.id),
        model: 'iPhone 15',
      },
    },
  ]);
  const redis = await everythingIn(company.world.client);
  // The answer to the login is kept without its token.
  expect(redis).toContain('[redacted]');
  for (const place of [redis, company.world.log()]) {
    expect(place).toContain('asset-in-snipe-it');
    expect(place).not.toContain(TOKEN);
    expect(place).not.toContain('password-of-the-inventory-system');
  }
});

test('a script starts when the app that it needs has arrived', async () => {
  const rule = 'set-up-when-agent-is-there';
  company.hold();
  const mac = company.enroll({ kind: 'macbook', name: 'With agent' });
  const { id } = await traceOf(mac, ({ runs }) =>
    runs.some(
      (run) => run.rule === rule && run.steps[2]?.status === 'waiting' && run.steps[3]?.status === 'pending',
    ),
  );
  expect(calls(`POST /devices/${mac.id}/push_apps`)).toBe(1);
  company.release();
  await company.agentIsOn(mac);
  // The next look is due in a minute.
  await wakeJob(company.runs, runId(id, rule));
  const { steps } = await completed(company, rule, mac, ENROLLED);
  expect(steps).toMatchObject([
    { action: 'assign_assignment_group' },
    { action: 'push_apps' },
    { action: 'wait', output: { looks: 2 } },
    { action: 'run_script', output: { response: 'all set' } },
    { output: { message: 'With agent is set up' } },
  ]);
});

test('the owner of a Mac without FileVault gets a mail; an address outside of the company does not', async () => {
  const mac = company.enroll({
    kind: 'mac_mini',
    name: 'Open Mac',
    serialNumber: 'C07LISTED0002',
    webhook: false,
  });
  const outside = company.enroll({
    kind: 'mac_mini',
    name: 'Contractor Mac',
    serialNumber: 'C07LISTED0003',
    webhook: false,
  });
  await company.sweep('filevault-nudge');
  await completed(company, 'filevault-nudge', mac);
  expect(await company.mailAbout('FileVault on Open Mac')).toMatchObject({ to: ['grace@example.org'] });

  await completed(company, 'filevault-nudge', outside);
  expect(await company.mailAbout('FileVault on Contractor Mac')).toMatchObject({
    to: ['it@example.org'],
    text: expect.stringContaining('eve@example.net'),
  });
  await traceOf(outside, ({ alerts }) => alerts[0]?.code === 'channel/recipient-not-allowed');
});

test('a recovery key that somebody has viewed is rotated, once', async () => {
  const mac = company.enroll({ kind: 'macbook', webhook: false });
  const key = record(mac.id)['filevault_recovery_key'];
  await company.api.customAttributes.setValueForDevice(mac.id, 'key_viewed', 'yes');
  await company.sweep('rotate-viewed-keys');
  await completed(company, 'rotate-viewed-keys', mac);
  await until('the key is another one', () => record(mac.id)['filevault_recovery_key'] !== key);
  const values = await company.api.customAttributes.getValuesForDevice(mac.id);
  expect(values.find(({ id }) => id === 'key_viewed')?.attributes.value).toBe('no');
  await company.sweep('rotate-viewed-keys');
  expect(calls(`POST /devices/${mac.id}/rotate_filevault_key`)).toBe(1);
});

test('a supervised Mac gets the company apps, but not when it has them already', async () => {
  const mac = company.enroll({ kind: 'mac_mini' });
  const { steps } = await completed(company, 'group-supervised-macs', mac, ENROLLED);
  // The rule file has the condition on two lines, the trace on one.
  expect((await ended(company, 'group-supervised-macs', mac, ENROLLED)).reason).toMatch(
    /^device\.platform == "macOS" && .* && !in_assignment_group\("Company apps"\) is true$/,
  );
  const id = z.number().parse(steps[0]?.output?.['group_id']);
  expect(calls(`POST /assignment_groups/${id}/devices/${mac.id}`)).toBe(1);

  const member = company.enroll({ kind: 'mac_mini', webhook: false });
  await company.api.assignmentGroups.assignDevice(id, member.id);
  await company.postEnrolled(member);
  expect(await ended(company, 'group-supervised-macs', member, ENROLLED)).toMatchObject({
    verdict: 'not_matched',
    reason: expect.stringContaining('in_assignment_group("Company apps")'),
  });
});

test('a missing security agent is told once, however often the fleet is swept, and again when it is there', async () => {
  const mac = company.enroll({ kind: 'macbook', name: 'Bare Mac', webhook: false });
  await company.sweep('missing-security-agent');
  await company.chatHas('No security agent on Bare Mac');
  await company.sweep('missing-security-agent');
  await company.api.assignmentGroups.assignDevice(company.agentGroup, mac.id);
  await company.api.devices.pushAssignedApps(mac.id);
  await company.agentIsOn(mac);
  await company.sweep('missing-security-agent');
  await company.chatHas('Bare Mac has its security agent');
  const told = company.posted('/slack').filter(({ text }) => text.includes('No security agent on Bare Mac'));
  expect(told).toHaveLength(1);
});

test('a ticket is opened for a device that becomes stale, and closed by its number when the device is back', async () => {
  const phone = company.enrollAgo(40 * DAY_H, { kind: 'iphone', name: 'Forgotten iPhone' });
  await company.sweep('newly-stale');
  const { steps } = await completed(company, 'newly-stale', phone);
  const { number } = z.object({ number: z.number() }).parse(steps[0]?.output?.['json']);
  await company.sweep('newly-stale');
  await company.checkIn(phone);
  await company.sweep('newly-stale');
  await until('the ticket is closed', () => company.posted(`/tickets/${number}/close`).length === 1);
  const titles = company
    .posted('/tickets')
    .map(({ body }) => z.object({ title: z.string() }).parse(body).title);
  expect(titles.filter((title) => title.endsWith('Forgotten iPhone'))).toHaveLength(1);
  expect(await ended(company, 'newly-stale', phone)).toMatchObject({
    verdict: 'cleared',
    run: { status: 'completed' },
  });
});

const incident = z.looseObject({ event_action: z.string(), dedup_key: z.string() });

test('an incident is opened once and resolved with the same key', async () => {
  const server = company.enrollAgo(3, { kind: 'mac_mini', name: 'Build Server 7' });
  const incidents = (): string[] =>
    company
      .posted('/pagerduty')
      .map(({ body }) => incident.parse(body))
      .filter(({ dedup_key: key }) => key === `default/server-is-offline/${server.id}`)
      .map(({ event_action: action }) => action);
  await company.sweep('server-is-offline');
  await until('the incident is open', () => incidents().length === 1);
  await company.sweep('server-is-offline');
  await company.checkIn(server);
  await company.sweep('server-is-offline');
  await until('the incident is resolved', () => incidents().length === 2);
  expect(incidents()).toEqual(['trigger', 'resolve']);
});

test('an expired device is deleted only after somebody has agreed', async () => {
  const tv = company.enrollAgo(200 * DAY_H, { kind: 'apple_tv', name: 'Lobby Apple TV' });
  await company.sweep('delete-expired-devices');
  await company.chatHas('Lobby Apple TV');
  expect(calls(`DELETE /devices/${tv.id}`)).toBe(0);
  await company.approve('Lobby Apple TV');
  const { approvals } = await completed(company, 'delete-expired-devices', tv);
  expect(approvals).toMatchObject([{ answer: 'approved', by: 'Ada', via: 'link' }]);
  expect(company.world.simulator.device(tv.id)).toBeUndefined();
});

test('another system learns that a device has left', async () => {
  const phone = company.enroll({ kind: 'iphone', webhook: false });
  company.world.simulator.unenroll(phone.id);
  await completed(company, 'ticket-when-unenrolled', phone, 'device.unenrolled');
  expect(company.posted(`/left/${phone.serialNumber}`)).toMatchObject([
    { body: { serial: phone.serialNumber } },
  ]);
});

test('an Apple TV that moves to the executives restarts', async () => {
  const tv = company.enroll({ kind: 'apple_tv', webhook: false });
  await company.api.deviceGroups.assignDevice(38, tv.id);
  await completed(company, 'restart-moved-apple-tvs', tv, 'device.changed_group');
  expect(calls(`POST /devices/${tv.id}/restart`)).toBe(1);
  expect(calls(`POST /devices/${tv.id}/refresh`)).toBe(1);
});

test('an iPad is erased and set up again only after somebody has agreed', async () => {
  const ipad = company.enroll({ kind: 'ipad', name: 'Returned iPad', groupId: 38, webhook: false });
  await company.api.deviceGroups.assignDevice(1, ipad.id);
  await company.chatHas('Returned iPad came back');
  expect(calls(`POST /devices/${ipad.id}/wipe`)).toBe(0);
  await company.approve('Returned iPad');
  await completed(company, 'return-to-service', ipad, 'device.changed_group');
  const wipe = company.world.simulator.calls().find(({ path }) => path === `/devices/${ipad.id}/wipe`);
  expect(wipe).toMatchObject({ body: { return_to_service: 'true', wifi_network_id: '15' } });
});

test('a mail tells that the push certificate expires', async () => {
  await company.sweep('push-certificate-expires');
  expect(await company.mailAbout('Renew the push certificate')).toMatchObject({
    to: ['it@example.org'],
    text: expect.stringContaining('The push certificate expires on 2017-09-21.'),
  });
});

test('old systems are updated: in office hours the user is asked, otherwise the update is installed', async () => {
  // The rule tests have times. The live rule shows that one of the two steps runs at any time.
  const { output, passed, failed } = await testRules(company.world.env, join(FOLDER, 'tests'));
  expect({ output, passed, failed }).toEqual({ output, passed: 4, failed: 0 });
  const [old, current] = [
    company.enroll({ kind: 'mac_mini', webhook: false }),
    company.enroll({ kind: 'macbook', webhook: false }),
  ];
  await company.sweep('update-at-night');
  const { run } = await ended(company, 'update-at-night', old);
  expect(run?.steps.map(({ status }) => status).sort()).toEqual(['completed', 'skipped']);
  const mode = run?.steps[0]?.status === 'completed' ? 'notify_only' : 'install_asap';
  const updates = (id: number) =>
    company.world.simulator.calls().filter(({ path }) => path === `/devices/${id}/update_os`);
  expect(updates(old.id)).toMatchObject([
    { body: { os_update_mode: mode, version_type: 'latest_minor_version' } },
  ]);
  expect(updates(current.id)).toEqual([]);
});

test('the chat learns which Macs have no room for an update', async () => {
  await company.sweep('no-room-for-the-update');
  const { text } = await company.chatHas('Build Server is nearly full');
  expect(text).toContain('18.44 of 250.69 GB are free.');
});

test('an iPad gets the time zone of its site, and one without a site keeps its own', async () => {
  const ipad = company.enroll({ kind: 'ipad', serialNumber: 'DMPSITE00001' });
  await completed(company, 'time-zone-of-the-site', ipad, ENROLLED);
  await until('the iPad has the time zone', () => record(ipad.id)['time_zone'] === 'Europe/Berlin');
  const other = company.enroll({ kind: 'ipad' });
  expect((await ended(company, 'time-zone-of-the-site', other, ENROLLED)).verdict).toBe('not_matched');
});

test('the owner of a Mac is welcomed once, not at each enrollment', async () => {
  const mac = company.enroll({ kind: 'macbook', name: 'Grace’s MacBook', webhook: false });
  await company.api.customAttributes.setValueForDevice(mac.id, 'email_address', 'grace@example.org');
  await company.postEnrolled(mac);
  await completed(company, 'welcome-mail', mac, ENROLLED);
  expect(await company.mailAbout('Welcome to Grace’s MacBook')).toMatchObject({ to: ['grace@example.org'] });

  await company.postEnrolled(mac);
  await until('the run of the second enrollment is skipped', async () => {
    const { run } = await ended(company, 'welcome-mail', mac, ENROLLED);
    return run?.steps[0]?.status === 'skipped' && run.code === 'run/already-ran';
  });
  expect(company.mails().filter(({ subject }) => subject.includes('Grace’s MacBook'))).toHaveLength(1);
});
