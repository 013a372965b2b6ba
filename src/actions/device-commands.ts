import { z } from 'zod';
import { mayBe } from '../enrichment/platform.js';
import type { Platform } from '../enrichment/platform.js';
import { flag, noArguments, text, textOrTemplate } from './argument-types.js';
import { defineDeviceAction } from './device-action.js';

const EXPECTED_PIN = 'expected six digits';
const sixDigits = z.string().regex(/^\d{6}$/);
/** A PIN of six digits. */
export const pin = textOrTemplate(sixDigits, EXPECTED_PIN);

const mac: readonly Platform[] = ['macOS'];
const mobile: readonly Platform[] = ['iOS', 'iPadOS'];

/** API reference, Devices, Refresh. */
export const refresh = defineDeviceAction({
  about: 'Requests the record and the apps from the device.',
  example: 'refresh: {}',
  args: noArguments,
  repeatable: true,
  send: (_args, { id }, { api }) => api.devices.refresh(id),
});

/** API reference, Devices, Push assigned apps. */
export const pushApps = defineDeviceAction({
  about: 'Installs the apps that are assigned to the device and missing on it.',
  example: 'push_apps: {}',
  args: noArguments,
  repeatable: true,
  send: (_args, { id }, { api }) => api.devices.pushAssignedApps(id),
});

/** API reference, Devices, Restart. */
export const restart = defineDeviceAction({
  about: 'Restarts the device. On macOS, `notify_user` asks the signed-in user first.',
  example: 'restart: { notify_user: true }',
  class: 'disruptive',
  args: z.strictObject({ notify_user: flag.optional(), rebuild_kernel_cache: flag.optional() }),
  repeatable: false,
  decidesOn: ['platform'],
  refuse: ({ notify_user, rebuild_kernel_cache }, { platform }) =>
    !mayBe(platform, mac) && (notify_user ?? rebuild_kernel_cache) !== undefined
      ? 'notify_user and rebuild_kernel_cache: for macOS only'
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
  args: noArguments,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.shutDown(id),
});

/** API reference, Devices, Lock. */
export const lock = defineDeviceAction({
  causes: 'device.lock.enabled',
  about: 'Locks the device. A Mac needs a `pin` of six digits, which unlocks the Mac.',
  example:
    "lock: { pin: '${env:LOCK_PIN}', message: Please call the help desk, phone_number: +1 503 555 0100 }",
  class: 'disruptive',
  args: z.strictObject({ message: text.optional(), phone_number: text.optional(), pin: pin.optional() }),
  repeatable: false,
  decidesOn: ['platform'],
  refuse: ({ pin: code }, { platform }) =>
    platform === 'macOS' && code === undefined ? 'pin: a Mac needs a pin of six digits' : pinProblem(code),
  send: ({ message, phone_number, pin: code }, { id, platform }, { api }) =>
    api.devices.lock(id, {
      ...(message !== undefined && { message }),
      ...(phone_number !== undefined && { phoneNumber: phone_number }),
      // iOS does not support a PIN.
      ...(code !== undefined && mayBe(platform, mac) && { pin: code }),
    }),
});

/** API reference, Devices, Clear passcode. */
export const clearPasscode = defineDeviceAction({
  about: 'Removes the passcode.',
  example: 'clear_passcode: {}',
  class: 'disruptive',
  args: noArguments,
  platforms: [...mobile, 'watchOS', 'visionOS'],
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearPasscode(id),
});

/** API reference, Devices, Clear firmware password. */
export const clearFirmwarePassword = defineDeviceAction({
  about: 'Removes the firmware password. Works only if SimpleMDM set the password.',
  example: 'clear_firmware_password: {}',
  class: 'disruptive',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearFirmwarePassword(id),
});

/** API 1.51. */
export const rotateFirmwarePassword = defineDeviceAction({
  about: 'Sets a new firmware password.',
  example: 'rotate_firmware_password: {}',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateFirmwarePassword(id),
});

/** API reference, Devices, Rotate FileVault recovery key. */
export const rotateFileVaultKey = defineDeviceAction({
  about: 'Creates a new FileVault recovery key. SimpleMDM must know the current key.',
  example: 'rotate_filevault_key: {}',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateFileVaultRecoveryKey(id),
});

/** API 1.51. */
export const clearRecoveryLockPassword = defineDeviceAction({
  about: 'Removes the recovery lock password.',
  example: 'clear_recovery_lock_password: {}',
  class: 'disruptive',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearRecoveryLockPassword(id),
});

/** API 1.51. */
export const rotateRecoveryLockPassword = defineDeviceAction({
  about: 'Sets a new recovery lock password.',
  example: 'rotate_recovery_lock_password: {}',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateRecoveryLockPassword(id),
});

/** API 1.51. */
export const clearRestrictionsPassword = defineDeviceAction({
  about: 'Removes the restrictions (Screen Time) passcode.',
  example: 'clear_restrictions_password: {}',
  class: 'disruptive',
  args: noArguments,
  platforms: mobile,
  supervised: true,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.clearRestrictionsPassword(id),
});

/** API 1.51. */
export const setAdminPassword = defineDeviceAction({
  about:
    'Sets the password of the managed administrator account. Use `${env:NAME}` for the password, so that no file has it; traces do not show it.',
  example: "set_admin_password: { password: '${env:ADMIN_PASSWORD}' }",
  class: 'disruptive',
  args: z.strictObject({ password: text }),
  platforms: mac,
  repeatable: true,
  send: ({ password }, { id }, { api }) => api.devices.setAdminPassword(id, password),
});

/** API 1.51. */
export const rotateAdminPassword = defineDeviceAction({
  about: 'Sets a new password for the managed administrator account.',
  example: 'rotate_admin_password: {}',
  args: noArguments,
  platforms: mac,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.rotateAdminPassword(id),
});

/** API reference, Devices, Update OS; `mode` and `version` are of API 1.51. */
export const updateOs = defineDeviceAction({
  about: 'Updates the operating system. A Mac needs a `mode`.',
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
  decidesOn: ['platform'],
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
  about: 'Turns Remote Desktop on or off.',
  example: 'remote_desktop: { enabled: true }',
  args: z.strictObject({ enabled: flag }),
  platforms: mac,
  repeatable: true,
  send: ({ enabled }, { id }, { api }) =>
    enabled ? api.devices.enableRemoteDesktop(id) : api.devices.disableRemoteDesktop(id),
});

/** API 1.51. */
export const bluetooth = defineDeviceAction({
  about: 'Turns Bluetooth on or off.',
  example: 'bluetooth: { enabled: false }',
  args: z.strictObject({ enabled: flag }),
  repeatable: true,
  send: ({ enabled }, { id }, { api }) =>
    enabled ? api.devices.enableBluetooth(id) : api.devices.disableBluetooth(id),
});

/** API 1.51. */
export const setTimeZone = defineDeviceAction({
  about: 'Sets the time zone.',
  platforms: [...mobile, 'tvOS'],
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

/** API 1.55. */
export const sendDeviceMessage = defineDeviceAction({
  about: 'Shows a message on the device.',
  example: 'send_device_message: { message: Please bring this iPad to the help desk }',
  args: z.strictObject({ message: text }),
  platforms: mobile,
  supervised: true,
  repeatable: false,
  send: ({ message }, { id }, { api }) => api.devices.sendMessage(id, message),
});

/** API 1.55. */
export const disableActivationLock = defineDeviceAction({
  about: 'Turns Activation Lock off. A stolen device can then be used by anyone.',
  example: 'disable_activation_lock: {}',
  class: 'destructive',
  args: noArguments,
  platforms: [...mac, ...mobile],
  supervised: true,
  repeatable: true,
  send: (_args, { id }, { api }) => api.devices.disableActivationLock(id),
});

const EXPECTED_ESIM_SERVER = 'expected the https URL of the eSIM server of the carrier';
const esimServer = z.url({ protocol: /^https$/ });

/** API 1.55. */
export const refreshCellularPlans = defineDeviceAction({
  about: 'Loads the eSIM plans from the server of the carrier.',
  example: 'refresh_cellular_plans: { esim_server_url: https://esim.example.com }',
  args: z.strictObject({ esim_server_url: textOrTemplate(esimServer, EXPECTED_ESIM_SERVER) }),
  platforms: mobile,
  repeatable: true,
  refuse: ({ esim_server_url: url }) =>
    esimServer.safeParse(url).success ? undefined : `esim_server_url: ${EXPECTED_ESIM_SERVER}`,
  send: ({ esim_server_url: url }, { id }, { api }) => api.devices.refreshCellularPlans(id, url),
});

/** API 1.51. */
export const unenroll = defineDeviceAction({
  causes: 'device.unenrolled',
  about: 'Removes the device from management.',
  example: 'unenroll: {}',
  class: 'destructive',
  args: noArguments,
  repeatable: false,
  send: (_args, { id }, { api }) => api.devices.unenroll(id),
});

/** A template may render to something else than six digits. */
export function pinProblem(code: string | undefined): string | undefined {
  return code === undefined || sixDigits.safeParse(code).success ? undefined : `pin: ${EXPECTED_PIN}`;
}
