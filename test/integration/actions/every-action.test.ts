import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RetryLaterError } from '../../../src/actions/action.js';
import { ACTIONS } from '../../../src/actions/registry.js';
import type { ErrorCode } from '../../../src/errors/registry.js';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import { freePort } from '../../support/redis.js';
import { apiKey, startActionWorld } from './action-world.js';
import type { ActionWorld } from './action-world.js';

/** A step, its device, and the effect at SimpleMDM. */
interface ActionTest {
  readonly action: string;
  readonly args?:
    Readonly<Record<string, unknown>> | ((world: ActionWorld) => Readonly<Record<string, unknown>>);
  /** `completed` by default. */
  readonly status?: 'waiting';
  /** MacBook 54 by default. */
  readonly on?: number;
  readonly before?: (world: ActionWorld) => Promise<unknown>;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly effect: (world: ActionWorld) => Promise<unknown>;
  readonly expected: unknown;
}

const mac = 54;
const mini = 56;
const ipad = 98;
const phone = 121;

const attributesOf = (id: number) => (world: ActionWorld) =>
  Promise.resolve(world.simulator.device(id)?.attributes);
const logs = (id: number) => async (world: ActionWorld) => {
  const serialNumber = world.simulator.device(id)?.attributes.serial_number ?? '';
  return (await world.all(world.api.logs.list({ serialNumber }))).map(
    ({ attributes }) => attributes.event_type,
  );
};
const adminLogs = async (world: ActionWorld) =>
  (await world.all(world.api.logs.list())).map(({ attributes }) => attributes.event_type);
const appsOn = (id: number) => async (world: ActionWorld) =>
  (await world.all(world.api.devices.listInstalledApps(id))).map(({ attributes }) => attributes.name);
const valueOf = (id: number, name: string) => async (world: ActionWorld) =>
  (await world.api.customAttributes.getValuesForDevice(id)).find((value) => value.id === name)?.attributes
    .value;
const membersOf = (id: number) => async (world: ActionWorld) =>
  (await world.api.assignmentGroups.retrieve(id)).relationships?.devices?.data?.map((device) => device.id);
const profilesOn = (id: number) => async (world: ActionWorld) =>
  (await world.all(world.api.devices.listProfiles(id))).map((profile) => profile.id);
const isLost = async ({ api, advance }: ActionWorld) => {
  await api.lostMode.enable(phone, { message: 'Please call' });
  advance();
};
const contains = (...entries: unknown[]): unknown => expect.arrayContaining(entries);

const tests: readonly ActionTest[] = [
  {
    action: 'assign_device_group',
    args: { group: 'Remote Employees' },
    output: { group_id: 37, group_name: 'Remote Employees' },
    effect: ({ simulator }) => Promise.resolve(simulator.device(mac)?.relationships.device_group.data.id),
    expected: 37,
  },
  {
    action: 'assign_assignment_group',
    args: { group: 'SimpleMDM' },
    on: mini,
    output: { device_id: mini, group_id: 26, group_name: 'SimpleMDM' },
    effect: membersOf(26),
    expected: [54, 56],
  },
  { action: 'unassign_assignment_group', args: { group: 26 }, effect: membersOf(26), expected: [] },
  {
    action: 'assign_profile',
    args: { profile: 'Office Wi-Fi' },
    output: { device_id: mac, profile_id: 15, profile_name: 'Office Wi-Fi' },
    effect: profilesOn(mac),
    expected: [15],
  },
  {
    action: 'unassign_profile',
    args: { profile: 'Disable AFP' },
    on: phone,
    effect: profilesOn(phone),
    expected: [],
  },
  {
    action: 'assign_declaration',
    args: { declaration: 'Safari bookmarks' },
    output: { device_id: mac, declaration_id: 16, declaration_name: 'Safari bookmarks' },
    effect: profilesOn(mac),
    expected: [16],
  },
  {
    action: 'unassign_declaration',
    args: { declaration: 16 },
    before: ({ api }) => api.customDeclarations.assignToDevice(16, mac),
    effect: profilesOn(mac),
    expected: [],
  },
  { action: 'push_apps', effect: appsOn(mac), expected: contains('Afterlight', 'Scanner Pro') },
  {
    action: 'push_group_apps',
    args: { group: 'Productivity Apps' },
    output: { group_id: 38, group_name: 'Productivity Apps' },
    effect: appsOn(mac),
    expected: contains('Surf Report'),
  },
  {
    action: 'update_group_apps',
    args: { group: 38 },
    effect: adminLogs,
    expected: contains('assignment_group.apps_updated'),
  },
  {
    action: 'request_app_management',
    args: { app: 'Airbnb' },
    on: phone,
    output: { device_id: phone, app_id: 618, app_name: 'Airbnb', app_version: '485' },
    effect: async ({ api }) => (await api.installedApps.retrieve(618)).attributes.managed,
    expected: true,
  },
  {
    action: 'update_app',
    args: { app: 'com.agilebits.onepassword-ios' },
    on: phone,
    effect: async ({ api }) => (await api.installedApps.retrieve(578)).attributes.version,
    expected: '601004.1',
  },
  {
    action: 'uninstall_app',
    args: { app: 'Sunset Run' },
    on: ipad,
    effect: appsOn(ipad),
    expected: expect.not.arrayContaining(['Sunset Run']),
  },
  {
    action: 'set_attribute',
    args: { name: 'department', value: 'Sales' },
    output: { device_id: mac, name: 'department', value: 'Sales' },
    effect: valueOf(mac, 'department'),
    expected: 'Sales',
  },
  {
    action: 'set_group_attribute',
    args: { group: 'Default', name: 'department', value: '7' },
    output: { group_id: 1, name: 'department', value: '7' },
    effect: valueOf(mini, 'department'),
    expected: '7',
  },
  {
    action: 'rename',
    args: { name: 'Front desk', device_name: 'front-desk' },
    effect: attributesOf(mac),
    expected: expect.objectContaining({ name: 'Front desk', device_name: 'front-desk' }),
  },
  {
    action: 'create_device',
    args: { name: 'Spare iPad', group: 'Laptops' },
    output: { device_id: 500, enrollment_url: expect.stringContaining('https://a.simplemdm.com/e/') },
    effect: attributesOf(500),
    expected: expect.objectContaining({ name: 'Spare iPad', status: 'awaiting enrollment' }),
  },
  {
    action: 'send_invitation',
    args: { enrollment: 6, contact: 'ada@example.org' },
    effect: ({ simulator }) => Promise.resolve(simulator.invitations().map(({ contact }) => contact)),
    expected: ['ada@example.org'],
  },
  {
    action: 'run_script',
    args: { script: 'script-8ilpJ' },
    effect: ({ simulator }) =>
      Promise.resolve(simulator.scriptJobs().map(({ attributes }) => attributes.status)),
    expected: ['completed'],
  },
  {
    action: 'cancel_script',
    args: { job: '341' },
    before: ({ api }) => api.scriptJobs.create({ scriptId: 32, deviceIds: [mac] }),
    effect: ({ simulator }) =>
      Promise.resolve(simulator.scriptJobs().map(({ attributes }) => attributes.status)),
    expected: ['cancelled'],
  },
  { action: 'refresh', effect: logs(mac), expected: contains('device.refreshed') },
  {
    action: 'restart',
    args: { notify_user: true },
    effect: logs(mac),
    expected: contains('device.restarted'),
  },
  { action: 'shut_down', effect: logs(mac), expected: contains('device.shut_down') },
  {
    action: 'lock',
    args: { pin: '480915', message: 'Please call' },
    effect: ({ simulator }) => Promise.resolve(simulator.webhookDeliveries().map(({ type }) => type)),
    expected: ['device.lock.enabled'],
  },
  {
    action: 'clear_passcode',
    on: ipad,
    effect: attributesOf(ipad),
    expected: expect.objectContaining({ passcode_present: false }),
  },
  {
    action: 'clear_firmware_password',
    on: mini,
    effect: attributesOf(mini),
    expected: expect.objectContaining({ firmware_password_enabled: false }),
  },
  {
    action: 'rotate_firmware_password',
    on: mini,
    effect: logs(mini),
    expected: contains('device.firmware_password_rotated'),
  },
  { action: 'rotate_filevault_key', effect: logs(mac), expected: contains('device.filevault_key_rotated') },
  {
    action: 'clear_recovery_lock_password',
    effect: attributesOf(mac),
    expected: expect.objectContaining({ recovery_lock_password_enabled: false }),
  },
  {
    action: 'rotate_recovery_lock_password',
    effect: logs(mac),
    expected: contains('device.recovery_lock_password_rotated'),
  },
  {
    action: 'clear_restrictions_password',
    on: phone,
    effect: logs(phone),
    expected: contains('device.restrictions_password_cleared'),
  },
  {
    action: 'set_admin_password',
    args: { password: 'plum-harbour-72' },
    effect: logs(mac),
    expected: contains('device.admin_password_set'),
  },
  { action: 'rotate_admin_password', effect: logs(mac), expected: contains('device.admin_password_rotated') },
  {
    action: 'update_os',
    args: { mode: 'install_asap' },
    effect: attributesOf(mac),
    expected: expect.objectContaining({ os_version: '15.1.1' }),
  },
  {
    action: 'remote_desktop',
    args: { enabled: true },
    effect: attributesOf(mac),
    expected: expect.objectContaining({ remote_desktop_enabled: true }),
  },
  {
    action: 'bluetooth',
    args: { enabled: false },
    effect: logs(mac),
    expected: contains('device.bluetooth_disabled'),
  },
  {
    action: 'set_time_zone',
    args: { time_zone: 'Europe/Berlin' },
    on: phone,
    effect: attributesOf(phone),
    expected: expect.objectContaining({ time_zone: 'Europe/Berlin' }),
  },
  {
    action: 'send_device_message',
    args: { message: 'Please bring this phone to the help desk' },
    on: phone,
    effect: logs(phone),
    expected: contains('device.message_sent'),
  },
  {
    action: 'refresh_cellular_plans',
    args: { esim_server_url: 'https://esim.example.com' },
    on: phone,
    effect: logs(phone),
    expected: contains('device.cellular_plans_refreshed'),
  },
  {
    action: 'disable_activation_lock',
    on: ipad,
    effect: logs(ipad),
    expected: contains('device.activation_lock_disabled'),
  },
  {
    action: 'enable_lost_mode',
    args: { message: 'Please call', phone_number: '5035551212' },
    on: phone,
    effect: logs(phone),
    expected: contains('lost_mode.enabled'),
  },
  {
    action: 'disable_lost_mode',
    on: phone,
    before: isLost,
    effect: logs(phone),
    expected: contains('lost_mode.disabled'),
  },
  {
    action: 'play_lost_mode_sound',
    on: phone,
    before: isLost,
    effect: logs(phone),
    expected: contains('lost_mode.sound_played'),
  },
  {
    action: 'update_lost_mode_location',
    on: phone,
    before: isLost,
    effect: attributesOf(phone),
    expected: expect.objectContaining({ location_latitude: '45.5230622' }),
  },
  {
    action: 'sync_dep_server',
    args: { server: 'My DEP MDM Server' },
    output: { server_id: 1, server_name: 'My DEP MDM Server' },
    effect: adminLogs,
    expected: contains('dep_server.synced'),
  },
  {
    action: 'delete_user',
    args: { user: 'usertwo' },
    output: { device_id: mac, user_id: 6 },
    effect: async ({ api, all }) =>
      (await all(api.devices.listUsers(mac))).map(({ attributes }) => attributes.username),
    expected: ['userone'],
  },
  { action: 'unenroll', on: phone, effect: attributesOf(phone), expected: undefined },
  { action: 'delete_device', on: phone, effect: attributesOf(phone), expected: undefined },
  { action: 'wipe', on: phone, effect: attributesOf(phone), expected: undefined },
  {
    action: 'notify',
    args: {
      channel: 'it-chat',
      title: 'Mac joined',
      text: 'hello',
      severity: 'warning',
      labels: { team: 'it' },
    },
    output: { title: 'Mac joined' },
    effect: ({ dispatchedAlerts }) => Promise.resolve(dispatchedAlerts()),
    expected: [
      expect.objectContaining({
        channel: 'it-chat',
        rule: 'test',
        title: 'Mac joined',
        text: 'hello',
        severity: 'warning',
        labels: { team: 'it' },
        device: expect.objectContaining({ id: mac }),
      }),
    ],
  },
  {
    action: 'http_request',
    args: ({ simulator }) => ({
      method: 'PATCH',
      url: `${simulator.url}/devices/${mac}`,
      headers: { Authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` },
      form: { name: 'renamed by a request' },
    }),
    output: { status_code: 200 },
    effect: attributesOf(mac),
    expected: expect.objectContaining({ name: 'renamed by a request' }),
  },
  {
    action: 'emit',
    args: { type: 'acme.ready', data: { owner: 'Ada' } },
    effect: ({ emittedEvents }) => Promise.resolve(emittedEvents()),
    expected: [
      expect.objectContaining({
        type: 'acme.ready',
        source: 'rule',
        data: { device: { id: mac }, owner: 'Ada' },
        causedBy: { event: 'e', rule: 'test', chainLength: 1 },
      }),
    ],
  },
  {
    action: 'wait',
    args: { for: '10m' },
    status: 'waiting',
    effect: ({ log }) => Promise.resolve(log()),
    expected: '',
  },
  {
    action: 'log',
    args: { message: 'hello' },
    effect: ({ log }) => Promise.resolve(log()),
    expected: /"msg":"hello"/,
  },
];

let world: ActionWorld;

beforeEach(async () => {
  world = await startActionWorld();
});

afterEach(() => world.close());

const argsFor = ({ args = {} }: ActionTest, current: ActionWorld): Readonly<Record<string, unknown>> =>
  typeof args === 'function' ? args(current) : args;

describe.each(tests)('$action', (actionTest) => {
  const { action, on = mac, before, output, effect, expected, status = 'completed' } = actionTest;
  test('has its effect at SimpleMDM', async () => {
    await before?.(world);
    const result = await world.perform(action, argsFor(actionTest, world), on);
    expect(result).toMatchObject({ status, ...(output && { output }) });
    world.advance();
    const actual = await effect(world);
    if (expected instanceof RegExp) expect(actual).toMatch(expected);
    else expect(actual).toEqual(expected);
  });
});

test('every action has a test', () => {
  expect(tests.map(({ action }) => action).sort()).toEqual(Object.keys(ACTIONS).sort());
});

test('the output of every action has exactly the declared names', async () => {
  for (const actionTest of tests) {
    const { action, on = mac, before } = actionTest;
    const fresh = await startActionWorld();
    await before?.(fresh);
    const result = await fresh.perform(action, argsFor(actionTest, fresh), on);
    await fresh.close();
    const names = 'output' in result ? Object.keys(result.output).sort() : [];
    expect({ action, names }).toEqual({ action, names: Object.keys(ACTIONS[action]?.outputs ?? {}).sort() });
  }
});

describe('limits are checked before any call', () => {
  test.each<[string, Readonly<Record<string, unknown>>, number, ErrorCode, RegExp]>([
    [
      'rotate_filevault_key',
      {},
      phone,
      'step/unsupported-platform',
      /^only macOS devices support this action; this device is iOS \(iPhone 7\)$/,
    ],
    ['remote_desktop', { enabled: true }, ipad, 'step/unsupported-platform', /^only macOS devices/],
    ['enable_lost_mode', { message: 'x' }, mac, 'step/unsupported-platform', /^only iOS, iPadOS devices/],
    ['clear_passcode', {}, mac, 'step/unsupported-platform', /^only iOS, iPadOS, watchOS, visionOS devices/],
    ['delete_user', { user: 'x' }, phone, 'step/unsupported-platform', /^only macOS devices/],
    [
      'set_time_zone',
      { time_zone: 'UTC' },
      mac,
      'step/unsupported-platform',
      /^only iOS, iPadOS, tvOS devices/,
    ],
    ['send_device_message', { message: 'x' }, mac, 'step/unsupported-platform', /^only iOS, iPadOS devices/],
    ['disable_activation_lock', {}, 117, 'step/unsupported-platform', /^only macOS, iOS, iPadOS devices/],
    ['run_script', { script: 32 }, phone, 'step/unsupported-platform', /^scripts run on macOS only; /],
    [
      'restart',
      {},
      11,
      'step/not-enrolled',
      /^the device is not enrolled: its status is awaiting enrollment$/,
    ],
    ['lock', {}, 99_999, 'step/no-device', /^SimpleMDM does not know the device of the event/],
  ])('%s %j on device %i is skipped', async (action, args, on, code, reason) => {
    const calls: ApiCall[] = [];
    const result = await recordCalls(calls, () => world.perform(action, args, on));
    expect(result).toEqual({ status: 'skipped', code, reason: expect.stringMatching(reason) });
    expect(calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, unknown>>, number, ErrorCode, RegExp]>([
    ['lock', {}, mac, 'step/invalid-argument', /^pin: a Mac needs a pin of six digits$/],
    ['update_os', {}, mac, 'step/invalid-argument', /^mode: a Mac needs a mode$/],
    ['restart', { notify_user: true }, phone, 'step/invalid-argument', /for macOS only$/],
    [
      'wipe',
      { preserve_data_plan: true },
      mac,
      'step/invalid-argument',
      /^preserve_data_plan: for iOS, iPadOS only; this device is macOS$/,
    ],
    [
      'wipe',
      { obliteration_behavior: 'Always' },
      phone,
      'step/invalid-argument',
      /^obliteration_behavior: for macOS only; this device is iOS$/,
    ],
    [
      'wipe',
      { return_to_service: true, wifi_profile: 'Office Wifi' },
      phone,
      'step/unknown-reference',
      /did you mean "Office Wi-Fi"/,
    ],
    ['update_app', { app: 'Airbnb' }, phone, 'step/app-not-managed', /not managed.*request_app_management/],
    [
      'uninstall_app',
      { app: 'Airbn' },
      phone,
      'step/unknown-reference',
      /^there is no app "Airbn" on the device; did you mean "Airbnb"\?$/,
    ],
    [
      'set_attribute',
      { name: 'departmet', value: 'x' },
      mac,
      'step/unknown-reference',
      /did you mean "department"\?/,
    ],
    [
      'assign_profile',
      { profile: 'Office Wifi' },
      mac,
      'step/unknown-reference',
      /^there is no profile "Office Wifi"; did you mean "Office Wi-Fi"\?$/,
    ],
    [
      'delete_user',
      { user: 'nobody' },
      mac,
      'step/unknown-reference',
      /^there is no user "nobody" on the device$/,
    ],
    ['cancel_script', { job: 'last' }, mac, 'step/invalid-argument', /is not the id of a script job$/],
  ])('%s %j on device %i fails', async (action, args, on, code, message) => {
    const calls: ApiCall[] = [];
    const step = recordCalls(calls, () => world.perform(action, args, on));
    await expect(step).rejects.toThrow(message);
    await expect(step).rejects.toMatchObject({ name: 'StepError', code });
    expect(calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

describe('http_request', () => {
  test('fails on an unexpected status and quotes the response', async () => {
    const step = world.perform('http_request', { url: `${world.simulator.url}/account` }, mac);
    await expect(step).rejects.toMatchObject({
      name: 'StepError',
      code: 'step/unexpected-status',
      message: expect.stringMatching(
        /^GET http:\/\/127\.0\.0\.1:\d+\/api\/v1\/account returned 401: .*invalid API key.*; expected 2xx$/,
      ),
    });
  });

  test('is retried after a status 5xx, not before the time in Retry-After', async () => {
    world.simulator.addFault({ kind: 'status', status: 503, retryAfter: 60, times: 1 });
    const before = Date.now();
    const step = world.perform('http_request', { url: `${world.simulator.url}/account` }, mac);
    const error: unknown = await step.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'RetryLaterError', code: 'step/unexpected-status' });
    expect(error instanceof RetryLaterError ? error.notBefore : 0).toBeGreaterThanOrEqual(before + 60_000);
  });

  test('is retried without a response', async () => {
    const step = world.perform('http_request', { url: `http://127.0.0.1:${await freePort()}/` }, mac);
    await expect(step).rejects.toMatchObject({
      name: 'RetryLaterError',
      code: 'step/no-response',
      message: expect.stringMatching(/^GET 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    });
  });
});

test('wipe sends its options, with the id of the named Wi-Fi profile', async () => {
  const args = { return_to_service: true, wifi_profile: 'Office Wi-Fi', preserve_data_plan: true };
  await world.perform('wipe', args, phone);
  expect(world.simulator.calls().at(-1)).toMatchObject({
    method: 'POST',
    path: `/devices/${phone}/wipe`,
    body: { return_to_service: 'true', wifi_network_id: '15', preserve_data_plan: 'true' },
  });
});

test('an enrollment for one device does not make the name of its group ambiguous', async () => {
  await world.api.devices.create({ name: 'Spare Mac', groupId: 41 });
  const args = { enrollment: 'Laptops', contact: 'ada@example.org' };
  expect(await world.perform('send_invitation', args, mac)).toMatchObject({ status: 'completed' });
  expect(world.simulator.invitations()).toMatchObject([{ enrollmentId: 6 }]);
});

test('the name of a custom attribute is compared without case, as SimpleMDM does', async () => {
  const result = await world.perform('set_attribute', { name: 'DEPARTMENT', value: 'Sales' }, mac);
  expect(result).toMatchObject({ status: 'completed', output: { name: 'department', value: 'Sales' } });
  expect(await valueOf(mac, 'department')(world)).toBe('Sales');
});

test('an action that must not happen twice is not repeated when the outcome is unknown', async () => {
  const argsOf = (action: string) =>
    action === 'lock' ? { pin: '123456' } : action === 'send_device_message' ? { message: 'x' } : {};
  for (const action of ['restart', 'wipe', 'send_device_message', 'rotate_filevault_key', 'lock']) {
    const result = await world.perform(action, argsOf(action), mac, new Date());
    expect(result).toEqual({
      status: 'skipped',
      code: 'step/not-repeated',
      reason: 'an earlier attempt got no response and may have taken effect: not sent again',
    });
  }
  expect(world.simulator.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('a device created by an attempt without a response is found and not created again', async () => {
  const args = { name: 'Spare iPad' };
  await world.api.devices.create(args);
  const result = await world.perform('create_device', args, mac, new Date());
  expect(result).toMatchObject({ status: 'completed', output: { device_id: 500 } });
  expect(world.simulator.calls().filter(({ method }) => method === 'POST')).toHaveLength(1);
});
