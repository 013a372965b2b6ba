import { z } from 'zod';
import type { Platform } from '../enrichment/platform.js';
import { defineDeviceAction } from './device-action.js';
import { textOrTemplate } from './text-or-template.js';

const none = z.strictObject({});
const text = z.string('expected a text').min(1, 'expected a text');
const yesOrNo = z.boolean('expected true or false');

const PIN = 'expected six digits';
const pin = textOrTemplate(z.string().regex(/^\d{6}$/), PIN);

const mac: readonly Platform[] = ['macOS'];
const mobile: readonly Platform[] = ['iOS', 'iPadOS'];

/** Asks the device for its record and its apps (API reference, Devices, Refresh). */
export const refresh = defineDeviceAction({
  about: 'Asks the device for its record and its apps.',
  example: 'refresh: {}',
  args: none,
  repeatable: true,
  send: (_args, { id }, { api }) => api.devices.refresh(id),
});

/** Installs what is assigned and not installed yet (API reference, Devices, Push assigned apps). */
export const pushApps = defineDeviceAction({
  about: 'Installs the apps that are assigned to the device and not installed yet.',
  example: 'push_apps: {}',
  args: none,
  repeatable: true,
  send: (_args, { id }, { api }) => api.devices.pushAssignedApps(id),
});

/** API reference, Devices, Restart. */
export const restart = defineDeviceAction({
  about: 'Restarts the device. On macOS `notify_user` lets whoever is signed in decide.',
  example: 'restart: { notify_user: true }',
  class: 'disruptive',
  args: z.strictObject({ notify_user: yesOrNo.optional(), rebuild_kernel_cache: yesOrNo.optional() }),
  repeatable: false,
  refuse: ({ notify_user, rebuild_kernel_cache }, { platform }) =>
    platform !== 'macOS' && (notify_user ?? rebuild_kernel_cache) !== undefined
      ? 'notify_user and rebuild_kernel_cache are for macOS only'
      : undefined,
  send: ({ notify_user, rebuild_kernel_cache }, { id }, { api }) =>
    api.devices.restart(id, {
      ...(notify_user !== undefined && { notifyUser: notify_user }),
      ...(rebuild_kernel_cache !== undefined && { rebuildKernelCache: rebuild_kernel_cache }),
    }),
});

/** API reference, Devices, Shut down. */
export const shutDown = defineDeviceAction({
  about: 'Shuts the device down.',
  example: 'shut_down: {}',
  class: 'disruptive',
  args: none,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.shutDown(id),
});

/** API reference, Devices, Lock. */
export const lock = defineDeviceAction({
  causes: 'device.lock.enabled',
  about: 'Locks the device. A Mac needs a `pin` of six digits, which unlocks it.',
  example:
    "lock: { pin: '${env:LOCK_PIN}', message: Please call the help desk, phone_number: +1 503 555 0100 }",
  class: 'disruptive',
  args: z.strictObject({ message: text.optional(), phone_number: text.optional(), pin: pin.optional() }),
  repeatable: false,
  refuse: ({ pin: code }, { platform }) => {
    if (platform === 'macOS' && code === undefined) return 'pin: a Mac needs a pin of six digits';
    return code === undefined ? undefined : notSixDigits(code);
  },
  send: ({ message, phone_number, pin: code }, { id, platform }, { api }) =>
    api.devices.lock(id, {
      ...(message !== undefined && { message }),
      ...(phone_number !== undefined && { phoneNumber: phone_number }),
      // iOS does not support one.
      ...(code !== undefined && platform === 'macOS' && { pin: code }),
    }),
});

/** API reference, Devices, Clear passcode. */
export const clearPasscode = defineDeviceAction({
  about: 'Removes the passcode.',
  example: 'clear_passcode: {}',
  class: 'disruptive',
  args: none,
  platforms: [...mobile, 'watchOS', 'visionOS'],
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearPasscode(id),
});

/** API reference, Devices, Clear firmware password. */
export const clearFirmwarePassword = defineDeviceAction({
  about: 'Removes the firmware password that SimpleMDM has set.',
  example: 'clear_firmware_password: {}',
  class: 'disruptive',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearFirmwarePassword(id),
});

/** API 1.51. */
export const rotateFirmwarePassword = defineDeviceAction({
  about: 'Sets another firmware password.',
  example: 'rotate_firmware_password: {}',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateFirmwarePassword(id),
});

/** API reference, Devices, Rotate FileVault recovery key. */
export const rotateFileVaultKey = defineDeviceAction({
  about: 'Makes another FileVault recovery key. SimpleMDM must know the present one.',
  example: 'rotate_filevault_key: {}',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateFileVaultRecoveryKey(id),
});

/** API 1.51. */
export const clearRecoveryLockPassword = defineDeviceAction({
  about: 'Removes the recovery lock.',
  example: 'clear_recovery_lock_password: {}',
  class: 'disruptive',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearRecoveryLockPassword(id),
});

/** API 1.51. */
export const rotateRecoveryLockPassword = defineDeviceAction({
  about: 'Sets another recovery lock password.',
  example: 'rotate_recovery_lock_password: {}',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateRecoveryLockPassword(id),
});

/** API 1.51. */
export const clearRestrictionsPassword = defineDeviceAction({
  about: 'Removes the restrictions (Screen Time) passcode.',
  example: 'clear_restrictions_password: {}',
  class: 'disruptive',
  args: none,
  platforms: mobile,
  supervised: true,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearRestrictionsPassword(id),
});

/** API 1.51. The password is given as `${env:…}`, so that it stands in no file. */
export const setAdminPassword = defineDeviceAction({
  about:
    'Sets the password of the managed administrator account. Give it as `${env:…}`, so that it stands in no file; no trace shows it.',
  example: "set_admin_password: { password: '${env:ADMIN_PASSWORD}' }",
  class: 'disruptive',
  args: z.strictObject({ password: text }),
  platforms: mac,
  repeatable: true,
  send: ({ password }, { id }, { api }) => api.devices.setAdminPassword(id, password),
});

/** API 1.51. */
export const rotateAdminPassword = defineDeviceAction({
  about: 'Sets another password of the managed administrator account.',
  example: 'rotate_admin_password: {}',
  args: none,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateAdminPassword(id),
});

/** API reference, Devices, Update OS; `mode` and `version` are of API 1.51. */
export const updateOs = defineDeviceAction({
  about: 'Updates the operating system. A Mac must be told how (`mode`).',
  example: 'update_os: { mode: install_asap, version: latest_minor_version }',
  class: 'disruptive',
  args: z.strictObject({
    mode: z
      .enum(
        ['smart_update', 'download_only', 'notify_only', 'install_asap', 'force_update'],
        'expected one of smart_update, download_only, notify_only, install_asap, force_update',
      )
      .optional(),
    version: z
      .enum(
        ['latest_minor_version', 'latest_major_version'],
        'expected one of latest_minor_version, latest_major_version',
      )
      .optional(),
  }),
  repeatable: true,
  refuse: ({ mode }, { platform }) =>
    platform === 'macOS' && mode === undefined ? 'mode: a Mac needs a mode' : undefined,
  send: ({ mode, version }, { id }, { api }) =>
    api.devices.updateOs(id, {
      ...(mode !== undefined && { osUpdateMode: mode }),
      ...(version !== undefined && { versionType: version }),
    }),
});

/** API reference, Devices, Enable and Disable Remote Desktop. */
export const remoteDesktop = defineDeviceAction({
  about: 'Switches Remote Desktop on or off.',
  example: 'remote_desktop: { enabled: true }',
  args: z.strictObject({ enabled: yesOrNo }),
  platforms: mac,
  repeatable: true,
  send: ({ enabled }, { id }, { api }) =>
    enabled ? api.devices.enableRemoteDesktop(id) : api.devices.disableRemoteDesktop(id),
});

/** API 1.51. */
export const bluetooth = defineDeviceAction({
  about: 'Switches Bluetooth on or off.',
  example: 'bluetooth: { enabled: false }',
  args: z.strictObject({ enabled: yesOrNo }),
  repeatable: true,
  send: ({ enabled }, { id }, { api }) =>
    enabled ? api.devices.enableBluetooth(id) : api.devices.disableBluetooth(id),
});

/** API 1.51. */
export const setTimeZone = defineDeviceAction({
  about: 'Sets the time zone.',
  example: 'set_time_zone: { time_zone: Europe/Berlin }',
  args: z.strictObject({
    time_zone: textOrTemplate(
      z.string().refine((zone) => zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(zone)),
      'expected a time zone such as Europe/Berlin',
    ),
  }),
  repeatable: true,
  send: ({ time_zone }, { id }, { api }) => api.devices.setTimeZone(id, time_zone),
});

/** The device leaves SimpleMDM's management (API 1.51). */
export const unenroll = defineDeviceAction({
  causes: 'device.unenrolled',
  about: 'Takes the device out of management.',
  example: 'unenroll: {}',
  class: 'destructive',
  args: none,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.unenroll(id),
});

/** Erases the device (API reference, Devices, Wipe). */
export const wipe = defineDeviceAction({
  causes: 'device.unenrolled',
  about: 'Erases the device.',
  example: 'wipe: {}',
  class: 'destructive',
  args: z.strictObject({ pin: pin.optional() }),
  repeatable: false,
  refuse: ({ pin: code }) => (code === undefined ? undefined : notSixDigits(code)),
  send: ({ pin: code }, { id }, { api }) => api.devices.wipe(id, code === undefined ? {} : { pin: code }),
});

/** A template may have made something else of it. */
function notSixDigits(code: string): string | undefined {
  return /^\d{6}$/.test(code) ? undefined : `pin: ${PIN}`;
}
