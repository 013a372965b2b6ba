import { expect } from '@jest/globals';
import type { ClientMethod, CallTest, Refusal, World } from './call-test.js';
import { all, logged } from './call-test.js';

const nowhere = 999_999;
const mac = 54;
const macSerial = 'C02XK1ZMJGH5';
const phone = 121;

type Attributes = Awaited<ReturnType<World['api']['devices']['retrieve']>>['attributes'];

/** The test of a command that a device carries out after the call, with its visible effect. */
function command(given: {
  call: string;
  client: ClientMethod;
  shows: string;
  send: (world: World, deviceId: number) => Promise<number>;
  on?: number;
  status?: number;
  /** Selects the part of the device record that the command changes. */
  changes?: (attributes: Attributes) => unknown;
  to?: unknown;
  /** The entry in the log of the device. */
  logs?: string;
  refuses?: readonly Refusal[];
}): CallTest {
  const { on = mac, status = 202, send, changes, logs } = given;
  return {
    call: given.call,
    client: given.client,
    shows: given.shows,
    run: async (world) => {
      const { attributes } = await world.api.devices.retrieve(on);
      const before = changes?.(attributes);
      expect(await send(world, on)).toBe(status);
      expect(changes?.((await world.api.devices.retrieve(on)).attributes)).toEqual(before);
      world.later();
      if (changes !== undefined) {
        const after = changes((await world.api.devices.retrieve(on)).attributes);
        expect(after).not.toEqual(before);
        if ('to' in given) expect(after).toEqual(given.to);
      }
      if (logs !== undefined) expect(await logged(world, attributes.serial_number ?? '')).toContain(logs);
    },
    refuses: [
      ...(given.refuses ?? []),
      { when: 'the device does not exist', status: 404, run: (world) => send(world, nowhere) },
      { when: 'the device has not enrolled', status: 422, run: (world) => send(world, 11) },
    ],
  };
}

/** A command for one platform only. */
const notOn = (deviceId: number, send: (world: World, deviceId: number) => Promise<number>): Refusal => ({
  when: 'the device is of another platform',
  status: 422,
  run: (world) => send(world, deviceId),
});

type Send = (world: World, deviceId: number) => Promise<number>;
const path = (name: string) => `/devices/{DEVICE_ID}/${name}`;

const clearFirmware: Send = ({ api }, id) => api.devices.clearFirmwarePassword(id);
const rotateFileVault: Send = ({ api }, id) => api.devices.rotateFileVaultRecoveryKey(id);
const enableDesktop: Send = ({ api }, id) => api.devices.enableRemoteDesktop(id);
const disableDesktop: Send = async ({ api, later }, id) => {
  if (id === mac) {
    await api.devices.enableRemoteDesktop(id);
    later();
  }
  return api.devices.disableRemoteDesktop(id);
};
const rotateFirmware: Send = ({ api }, id) => api.devices.rotateFirmwarePassword(id);
const clearRecovery: Send = ({ api }, id) => api.devices.clearRecoveryLockPassword(id);
const rotateRecovery: Send = ({ api }, id) => api.devices.rotateRecoveryLockPassword(id);
const clearRestrictions: Send = ({ api }, id) => api.devices.clearRestrictionsPassword(id);
const setAdmin: Send = ({ api }, id) => api.devices.setAdminPassword(id, 'pärl & co');
const setTimeZone: Send = ({ api }, id) => api.devices.setTimeZone(id, 'Europe/Berlin');
const sendMessage: Send = ({ api }, id) => api.devices.sendMessage(id, 'Please bring this phone');
const refreshPlans: Send = ({ api }, id) => api.devices.refreshCellularPlans(id, 'https://esim.example.com');
const rotateAdmin: Send = ({ api }, id) => api.devices.rotateAdminPassword(id);

export const deviceCommands: readonly CallTest[] = [
  {
    call: `POST ${path('push_apps')}`,
    client: 'devices.pushAssignedApps',
    shows: 'installs the apps of the assignment groups; asynchronous',
    run: async ({ api, later }) => {
      expect(await api.devices.pushAssignedApps(mac)).toBe(202);
      later();
      later();
      const names = (await all(api.devices.listInstalledApps(mac))).map(({ attributes }) => attributes.name);
      expect(names).toEqual(expect.arrayContaining(['Afterlight', 'Surf Report', 'Scanner Pro']));
    },
    refuses: [
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.devices.pushAssignedApps(nowhere),
      },
    ],
  },
  command({
    call: `POST ${path('refresh')}`,
    client: 'devices.refresh',
    shows: 'updates last_seen_at',
    send: ({ api }, id) => api.devices.refresh(id),
    changes: ({ last_seen_at }) => last_seen_at,
    logs: 'device.refreshed',
    refuses: [
      {
        when: 'the calls are too frequent',
        status: 429,
        run: async ({ api }) => {
          await api.devices.refresh(mac);
          return api.devices.refresh(mac);
        },
      },
    ],
  }),
  command({
    call: `POST ${path('restart')}`,
    client: 'devices.restart',
    shows: 'the device restarts',
    send: ({ api }, id) => api.devices.restart(id, { rebuildKernelCache: true, notifyUser: false }),
    logs: 'device.restarted',
  }),
  command({
    call: `POST ${path('shutdown')}`,
    client: 'devices.shutDown',
    shows: 'the device shuts down',
    send: ({ api }, id) => api.devices.shutDown(id),
    logs: 'device.shut_down',
  }),
  {
    call: `POST ${path('lock')}`,
    client: 'devices.lock',
    shows: 'locks the device and sends a webhook; an iPhone needs no pin',
    run: async (world) => {
      const { api, later, simulator } = world;
      expect(
        await api.devices.lock(mac, { message: 'Call us', phoneNumber: '5035551212', pin: '123456' }),
      ).toBe(202);
      expect(await api.devices.lock(phone)).toBe(202);
      expect(simulator.webhookDeliveries()).toEqual([]);
      later();
      expect(simulator.webhookDeliveries().map(({ type }) => type)).toEqual([
        'device.lock.enabled',
        'device.lock.enabled',
      ]);
      expect(await logged(world, macSerial)).toContain('device.lock.enabled');
    },
    refuses: [
      {
        when: 'the device is a Mac and the pin is missing',
        status: 422,
        run: ({ api }) => api.devices.lock(mac),
      },
      {
        when: 'the pin does not have six digits',
        status: 422,
        run: ({ api }) => api.devices.lock(mac, { pin: '12345' }),
      },
      { when: 'the device does not exist', status: 404, run: ({ api }) => api.devices.lock(nowhere) },
    ],
  },
  command({
    call: `POST ${path('clear_passcode')}`,
    client: 'devices.clearPasscode',
    shows: 'clears the passcode',
    send: ({ api }, id) => api.devices.clearPasscode(id),
    on: 98,
    changes: ({ passcode_present }) => passcode_present,
    to: false,
  }),
  command({
    call: `POST ${path('clear_firmware_password')}`,
    client: 'devices.clearFirmwarePassword',
    shows: 'clears the firmware password',
    send: clearFirmware,
    on: 56,
    changes: ({ firmware_password_enabled }) => firmware_password_enabled,
    to: false,
    refuses: [notOn(phone, clearFirmware)],
  }),
  command({
    call: `POST ${path('rotate_filevault_key')}`,
    client: 'devices.rotateFileVaultRecoveryKey',
    shows: 'changes the recovery key',
    send: rotateFileVault,
    changes: (attributes) => attributes['filevault_recovery_key'],
    refuses: [
      notOn(phone, rotateFileVault),
      {
        when: 'SimpleMDM does not know the current key',
        status: 422,
        run: (world) => rotateFileVault(world, 56),
      },
    ],
  }),
  {
    call: `POST ${path('wipe')}`,
    client: 'devices.wipe',
    shows: 'erases and unenrolls the device; asynchronous',
    run: async ({ api, later, simulator }) => {
      const options = {
        preserveDataPlan: true,
        disableActivationLock: false,
        disallowProximitySetup: true,
        returnToService: true,
        wifiNetworkId: 15,
        clearCustomAttributes: true,
        unassignDirectProfiles: true,
        preserveManagedApps: true,
      };
      expect(await api.devices.wipe(phone, options)).toBe(202);
      expect((await api.devices.retrieve(phone)).id).toBe(phone);
      later();
      const wiped = (await all(api.logs.list({ serialNumber: 'DNFJE9DNG5MG' }))).find(
        ({ attributes }) => attributes.event_type === 'device.wiped',
      );
      expect(wiped?.attributes.metadata).toEqual({
        preserve_data_plan: true,
        disable_activation_lock: false,
        disallow_proximity_setup: true,
        return_to_service: true,
        wifi_network_id: '15',
        clear_custom_attributes: true,
        unassign_direct_profiles: true,
        preserve_managed_apps: true,
      });
      expect(await api.devices.wipe(mac, { obliterationBehavior: 'DoNotObliterate' })).toBe(202);
      expect(simulator.device(phone)).toBeUndefined();
      expect(simulator.webhookDeliveries().map(({ type }) => type)).toEqual(['device.unenrolled']);
    },
    refuses: [
      {
        when: 'the pin does not have six digits',
        status: 422,
        run: ({ api }) => api.devices.wipe(mac, { pin: 'secret' }),
      },
      {
        when: 'return_to_service has no network',
        status: 422,
        run: ({ api }) => api.devices.wipe(phone, { returnToService: true }),
      },
      {
        when: 'the network is not a Wi-Fi profile',
        status: 422,
        run: ({ api }) => api.devices.wipe(phone, { returnToService: true, wifiNetworkId: 13 }),
      },
      { when: 'the device does not exist', status: 404, run: ({ api }) => api.devices.wipe(nowhere) },
    ],
  },
  command({
    call: `POST ${path('update_os')}`,
    client: 'devices.updateOs',
    shows: 'updates the OS',
    send: ({ api }, id) => api.devices.updateOs(id),
    on: phone,
    changes: ({ os_version }) => os_version,
    refuses: [
      {
        when: 'the device is a Mac and the mode is missing',
        status: 422,
        run: ({ api }) => api.devices.updateOs(mac),
      },
    ],
  }),
  command({
    call: `POST ${path('remote_desktop')}`,
    client: 'devices.enableRemoteDesktop',
    shows: 'enables remote desktop',
    send: enableDesktop,
    changes: ({ remote_desktop_enabled }) => remote_desktop_enabled,
    to: true,
    refuses: [notOn(phone, enableDesktop)],
  }),
  {
    call: `DELETE ${path('remote_desktop')}`,
    client: 'devices.disableRemoteDesktop',
    shows: 'disables remote desktop',
    run: async (world) => {
      expect(await disableDesktop(world, mac)).toBe(202);
      world.later();
      expect((await world.api.devices.retrieve(mac)).attributes.remote_desktop_enabled).toBe(false);
    },
    refuses: [notOn(phone, disableDesktop)],
  },
  command({
    call: `POST ${path('rotate_firmware_password')}`,
    client: 'devices.rotateFirmwarePassword',
    shows: 'changes the firmware password',
    send: rotateFirmware,
    on: 56,
    changes: (attributes) => attributes['firmware_password'],
    refuses: [notOn(phone, rotateFirmware)],
  }),
  command({
    call: `POST ${path('clear_recovery_lock_password')}`,
    client: 'devices.clearRecoveryLockPassword',
    shows: 'clears the recovery lock password',
    send: clearRecovery,
    changes: ({ recovery_lock_password_enabled }) => recovery_lock_password_enabled,
    to: false,
    refuses: [notOn(phone, clearRecovery)],
  }),
  command({
    call: `POST ${path('rotate_recovery_lock_password')}`,
    client: 'devices.rotateRecoveryLockPassword',
    shows: 'changes the recovery lock password',
    send: rotateRecovery,
    changes: (attributes) => attributes['recovery_lock_password'],
    refuses: [notOn(phone, rotateRecovery)],
  }),
  command({
    call: `POST ${path('clear_restrictions_password')}`,
    client: 'devices.clearRestrictionsPassword',
    shows: 'clears the restrictions password',
    send: clearRestrictions,
    on: phone,
    logs: 'device.restrictions_password_cleared',
    refuses: [notOn(mac, clearRestrictions)],
  }),
  command({
    call: `POST ${path('set_admin_password')}`,
    client: 'devices.setAdminPassword',
    shows: 'sets the password, which no record of the call contains',
    send: setAdmin,
    logs: 'device.admin_password_set',
    refuses: [
      notOn(phone, setAdmin),
      { when: 'the password is empty', status: 422, run: ({ api }) => api.devices.setAdminPassword(mac, '') },
    ],
  }),
  command({
    call: `POST ${path('rotate_admin_password')}`,
    client: 'devices.rotateAdminPassword',
    shows: 'changes the admin password',
    send: rotateAdmin,
    logs: 'device.admin_password_rotated',
    refuses: [notOn(phone, rotateAdmin)],
  }),
  command({
    call: `POST ${path('bluetooth')}`,
    client: 'devices.enableBluetooth',
    shows: 'enables Bluetooth',
    send: ({ api }, id) => api.devices.enableBluetooth(id),
    logs: 'device.bluetooth_enabled',
  }),
  command({
    call: `DELETE ${path('bluetooth')}`,
    client: 'devices.disableBluetooth',
    shows: 'disables Bluetooth',
    send: ({ api }, id) => api.devices.disableBluetooth(id),
    logs: 'device.bluetooth_disabled',
  }),
  command({
    call: `POST ${path('set_time_zone')}`,
    client: 'devices.setTimeZone',
    shows: 'changes the time zone',
    send: setTimeZone,
    on: phone,
    status: 204,
    changes: ({ time_zone }) => time_zone,
    to: 'Europe/Berlin',
    refuses: [
      notOn(mac, setTimeZone),
      {
        when: 'the time zone does not exist',
        status: 422,
        run: ({ api }) => api.devices.setTimeZone(phone, 'Europe/Entenhausen'),
      },
    ],
  }),
  command({
    call: `POST ${path('send_message')}`,
    client: 'devices.sendMessage',
    shows: 'shows the message',
    send: sendMessage,
    on: phone,
    logs: 'device.message_sent',
    refuses: [
      notOn(mac, sendMessage),
      { when: 'the message is empty', status: 422, run: ({ api }) => api.devices.sendMessage(phone, '') },
    ],
  }),
  command({
    call: `POST ${path('disable_activation_lock')}`,
    client: 'devices.disableActivationLock',
    shows: 'turns Activation Lock off',
    send: ({ api }, id) => api.devices.disableActivationLock(id),
    on: phone,
    logs: 'device.activation_lock_disabled',
    refuses: [
      {
        when: 'the device is not supervised',
        status: 422,
        run: ({ api }) => api.devices.disableActivationLock(117),
      },
    ],
  }),
  command({
    call: `POST ${path('refresh_cellular_plans')}`,
    client: 'devices.refreshCellularPlans',
    shows: 'asks the server of the carrier for the plans',
    send: refreshPlans,
    on: phone,
    logs: 'device.cellular_plans_refreshed',
    refuses: [
      notOn(mac, refreshPlans),
      {
        when: 'the server is not an https URL',
        status: 422,
        run: ({ api }) => api.devices.refreshCellularPlans(phone, 'esim.example.com'),
      },
    ],
  }),
  {
    call: `POST ${path('unenroll')}`,
    client: 'devices.unenroll',
    shows: 'unenrolls the device; asynchronous',
    run: async ({ api, later, simulator }) => {
      expect(await api.devices.unenroll(phone)).toBe(202);
      later();
      expect(simulator.device(phone)).toBeUndefined();
    },
    refuses: [
      { when: 'the device does not exist', status: 404, run: ({ api }) => api.devices.unenroll(nowhere) },
    ],
  },
];
