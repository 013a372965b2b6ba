import type { Parameter } from './request.js';
import { send } from './resource.js';
import type { Transport } from './transport.js';

/** Options of a restart; macOS only. */
export interface RestartOptions {
  /** macOS 11 or later. */
  readonly rebuildKernelCache?: boolean;
  /** Asks the signed-in user first; macOS 11.3 or later. */
  readonly notifyUser?: boolean;
}

/** What a locked device shows, and the PIN that unlocks a Mac. */
export interface LockOptions {
  readonly message?: string;
  readonly phoneNumber?: string;
  /** Six digits. Required for macOS, not supported by iOS. */
  readonly pin?: string;
}

/** How the OS is updated (API 1.51). */
export interface UpdateOsOptions {
  /** Required for macOS. */
  readonly osUpdateMode?: 'smart_update' | 'download_only' | 'notify_only' | 'install_asap' | 'force_update';
  readonly versionType?: 'latest_minor_version' | 'latest_major_version';
}

/** How a Mac is erased (Apple, EraseDevice command). */
export const OBLITERATION_BEHAVIORS = [
  'Default',
  'DoNotObliterate',
  'ObliterateWithWarning',
  'Always',
] as const;

/** Options of a wipe. All but `pin` are newer than the reference. SimpleMDM has a default for each that is left out. */
export interface WipeOptions {
  /** Six digits. Required for Macs without a T2 chip, not supported by other devices. */
  readonly pin?: string | undefined;
  /** Keeps the eSIM; iOS. */
  readonly preserveDataPlan?: boolean | undefined;
  /** Turns Activation Lock off; true by default. */
  readonly disableActivationLock?: boolean | undefined;
  /** Skips the setup by a device nearby; iOS. */
  readonly disallowProximitySetup?: boolean | undefined;
  /** Enrolls the device again after the wipe; iOS 17, tvOS 18 or later. Needs `wifiNetworkId`. */
  readonly returnToService?: boolean | undefined;
  /** The id of a Wi-Fi profile. */
  readonly wifiNetworkId?: number | undefined;
  /** macOS 12 or later. */
  readonly obliterationBehavior?: (typeof OBLITERATION_BEHAVIORS)[number] | undefined;
  /** Clears the values of custom attributes on the device record; false by default. */
  readonly clearCustomAttributes?: boolean | undefined;
  /** Removes the profiles that are assigned to the device directly; false by default. */
  readonly unassignDirectProfiles?: boolean | undefined;
  /** Keeps managed apps (API 1.55). */
  readonly preserveManagedApps?: boolean | undefined;
}

/**
 * The device commands of the API reference, section Devices, and of API 1.51. The status 202 means that SimpleMDM accepted the
 * command; the device receives the command when it is online.
 */
export function deviceCommands(transport: Transport) {
  const command = (
    method: 'POST' | 'DELETE',
    deviceId: number,
    name: string,
    rest: { body?: Readonly<Record<string, Parameter | undefined>>; idempotent?: true } = {},
  ): Promise<number> =>
    send(transport, {
      method,
      route: `/devices/{DEVICE_ID}/${name}`,
      params: { DEVICE_ID: deviceId },
      ...rest,
    });
  return {
    /** Push assigned apps: `POST /devices/{DEVICE_ID}/push_apps`: installs the assigned apps that are missing. */
    pushAssignedApps: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'push_apps', { idempotent: true }),

    /**
     * Refresh: `POST /devices/{DEVICE_ID}/refresh`: requests the record and the apps from the device.
     *
     * @throws SimpleMdmError 429 when requested too often.
     */
    refresh: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'refresh', { idempotent: true }),

    /** Restart: `POST /devices/{DEVICE_ID}/restart`. */
    restart: (deviceId: number, { rebuildKernelCache, notifyUser }: RestartOptions = {}): Promise<number> =>
      command('POST', deviceId, 'restart', {
        body: { rebuild_kernel_cache: rebuildKernelCache, notify_user: notifyUser },
      }),

    /** Shut down: `POST /devices/{DEVICE_ID}/shutdown`. */
    shutDown: (deviceId: number): Promise<number> => command('POST', deviceId, 'shutdown'),

    /**
     * Lock: `POST /devices/{DEVICE_ID}/lock`.
     *
     * @throws SimpleMdmError 422 for a Mac without a `pin` of six digits.
     */
    lock: (deviceId: number, { message, phoneNumber, pin }: LockOptions = {}): Promise<number> =>
      command('POST', deviceId, 'lock', { body: { message, phone_number: phoneNumber, pin } }),

    /** Clear passcode: `POST /devices/{DEVICE_ID}/clear_passcode`. */
    clearPasscode: (deviceId: number): Promise<number> => command('POST', deviceId, 'clear_passcode'),

    /** Clear firmware password: `POST /devices/{DEVICE_ID}/clear_firmware_password`. Works only if SimpleMDM set the password. */
    clearFirmwarePassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'clear_firmware_password'),

    /** Rotate FileVault recovery key: `POST /devices/{DEVICE_ID}/rotate_filevault_key`. SimpleMDM must know the current key. */
    rotateFileVaultRecoveryKey: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'rotate_filevault_key'),

    /**
     * Wipe: `POST /devices/{DEVICE_ID}/wipe`: erases the device and removes it from the account.
     *
     * @throws SimpleMdmError 422 when an option is invalid.
     */
    wipe: (deviceId: number, options: WipeOptions = {}): Promise<number> =>
      command('POST', deviceId, 'wipe', {
        body: {
          pin: options.pin,
          preserve_data_plan: options.preserveDataPlan,
          disable_activation_lock: options.disableActivationLock,
          disallow_proximity_setup: options.disallowProximitySetup,
          return_to_service: options.returnToService,
          wifi_network_id: options.wifiNetworkId,
          obliteration_behavior: options.obliterationBehavior,
          clear_custom_attributes: options.clearCustomAttributes,
          unassign_direct_profiles: options.unassignDirectProfiles,
          preserve_managed_apps: options.preserveManagedApps,
        },
      }),

    /** Update OS: `POST /devices/{DEVICE_ID}/update_os`. */
    updateOs: (deviceId: number, { osUpdateMode, versionType }: UpdateOsOptions = {}): Promise<number> =>
      command('POST', deviceId, 'update_os', {
        body: { os_update_mode: osUpdateMode, version_type: versionType },
        idempotent: true,
      }),

    /** Enable Remote Desktop: `POST /devices/{DEVICE_ID}/remote_desktop`. macOS 10.14.4 or later. */
    enableRemoteDesktop: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'remote_desktop', { idempotent: true }),

    /** Disable Remote Desktop: `DELETE /devices/{DEVICE_ID}/remote_desktop`. macOS 10.14.4 or later. */
    disableRemoteDesktop: (deviceId: number): Promise<number> =>
      command('DELETE', deviceId, 'remote_desktop'),

    /** Rotate firmware password: `POST /devices/{DEVICE_ID}/rotate_firmware_password` (API 1.51). */
    rotateFirmwarePassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'rotate_firmware_password'),

    /** Clear recovery lock password: `POST /devices/{DEVICE_ID}/clear_recovery_lock_password` (API 1.51). */
    clearRecoveryLockPassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'clear_recovery_lock_password'),

    /** Rotate recovery lock password: `POST /devices/{DEVICE_ID}/rotate_recovery_lock_password` (API 1.51). */
    rotateRecoveryLockPassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'rotate_recovery_lock_password'),

    /** Clear restrictions password: `POST /devices/{DEVICE_ID}/clear_restrictions_password` (API 1.51). */
    clearRestrictionsPassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'clear_restrictions_password'),

    /** Set admin password: `POST /devices/{DEVICE_ID}/set_admin_password` (API 1.51). Call records do not show the password. */
    setAdminPassword: (deviceId: number, newPassword: string): Promise<number> =>
      command('POST', deviceId, 'set_admin_password', { body: { new_password: newPassword } }),

    /** Rotate admin password: `POST /devices/{DEVICE_ID}/rotate_admin_password` (API 1.51). */
    rotateAdminPassword: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'rotate_admin_password'),

    /** Enable Bluetooth: `POST /devices/{DEVICE_ID}/bluetooth` (API 1.51). */
    enableBluetooth: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'bluetooth', { idempotent: true }),

    /** Disable Bluetooth: `DELETE /devices/{DEVICE_ID}/bluetooth` (API 1.51). */
    disableBluetooth: (deviceId: number): Promise<number> => command('DELETE', deviceId, 'bluetooth'),

    /**
     * Set time zone: `POST /devices/{DEVICE_ID}/set_time_zone` (API 1.51). iOS 14, tvOS 14 or later.
     *
     * @param timeZone - Such as `Europe/Berlin`.
     * @returns The status, 204.
     */
    setTimeZone: (deviceId: number, timeZone: string): Promise<number> =>
      command('POST', deviceId, 'set_time_zone', { body: { time_zone: timeZone }, idempotent: true }),

    /** Unenroll: `POST /devices/{DEVICE_ID}/unenroll` (API 1.51). */
    unenroll: (deviceId: number): Promise<number> => command('POST', deviceId, 'unenroll'),

    /** Send message: `POST /devices/{DEVICE_ID}/send_message` (API 1.55). Shows the message on a supervised iPhone or iPad. */
    sendMessage: (deviceId: number, message: string): Promise<number> =>
      command('POST', deviceId, 'send_message', { body: { message } }),

    /** Disable Activation Lock: `POST /devices/{DEVICE_ID}/disable_activation_lock` (API 1.55). Supervised devices only. */
    disableActivationLock: (deviceId: number): Promise<number> =>
      command('POST', deviceId, 'disable_activation_lock', { idempotent: true }),

    /**
     * Refresh cellular plans: `POST /devices/{DEVICE_ID}/refresh_cellular_plans` (API 1.55). iPhone and iPad only.
     *
     * @param esimServerUrl - The https URL of the carrier's eSIM server.
     */
    refreshCellularPlans: (deviceId: number, esimServerUrl: string): Promise<number> =>
      command('POST', deviceId, 'refresh_cellular_plans', {
        body: { esim_server_url: esimServerUrl },
        idempotent: true,
      }),
  };
}
