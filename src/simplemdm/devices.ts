import { z } from 'zod';
import { deviceCommands } from './device-commands.js';
import { installedApp } from './installed-apps.js';
import { profile } from './profiles.js';
import { fetchRecord, linkTo, listOf, nestedListOf, send } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flag, number, text } from './field-types.js';

/**
 * The attributes of a device. Most are null on some platform, and older records lack newer attributes. Secret attributes are
 * left out (see secrets.ts).
 */
export const deviceAttributes = z.looseObject({
  name: text,
  last_seen_at: text,
  last_seen_ip: text,
  status: text,
  enrollment_url: text,
  enrollment_channels: z.array(z.string()).nullish(),
  enrolled_at: text,
  device_name: text,
  os_version: text,
  supplemental_build_version: text,
  build_version: text,
  model_name: text,
  model: text,
  product_name: text,
  unique_identifier: text,
  serial_number: text,
  processor_architecture: text,
  imei: text,
  meid: text,
  device_capacity: number,
  available_device_capacity: number,
  battery_level: text,
  modem_firmware_version: text,
  iccid: text,
  bluetooth_mac: text,
  ethernet_macs: z.array(z.string()).nullish(),
  wifi_mac: text,
  current_carrier_network: text,
  sim_carrier_network: text,
  subscriber_carrier_network: text,
  carrier_settings_version: text,
  phone_number: text,
  voice_roaming_enabled: flag,
  data_roaming_enabled: flag,
  is_roaming: flag,
  subscriber_mcc: text,
  subscriber_mnc: text,
  simmnc: text,
  current_mcc: text,
  current_mnc: text,
  hardware_encryption_caps: number,
  passcode_present: flag,
  passcode_compliant: flag,
  passcode_compliant_with_profiles: flag,
  is_supervised: flag,
  is_dep_enrollment: flag,
  dep_enrolled: flag,
  dep_assigned: flag,
  ddm_enabled: flag,
  user_enrollment: flag,
  is_user_approved_enrollment: flag,
  is_device_locator_service_enabled: flag,
  is_do_not_disturb_in_effect: flag,
  personal_hotspot_enabled: flag,
  itunes_store_account_is_active: flag,
  cellular_technology: number,
  last_cloud_backup_date: text,
  is_activation_lock_enabled: flag,
  is_cloud_backup_enabled: flag,
  filevault_enabled: flag,
  firmware_password_enabled: flag,
  recovery_lock_password_enabled: flag,
  remote_desktop_enabled: flag,
  firewall: z.looseObject({ enabled: flag, block_all_incoming: flag, stealth_mode: flag }).nullish(),
  system_integrity_protection_enabled: flag,
  os_update: z
    .looseObject({
      automatic_os_installation_enabled: flag,
      automatic_app_installation_enabled: flag,
      automatic_check_enabled: flag,
      automatic_security_updates_enabled: flag,
      background_download_enabled: flag,
      catalog_url: text,
      default_catalog: z.union([z.boolean(), z.string()]).nullish(),
      perform_periodic_check: flag,
      previous_scan_date: text,
      previous_scan_result: z.union([z.string(), z.number()]).nullish(),
    })
    .nullish(),
  managed_apple_id: text,
  time_zone: text,
  service_subscriptions: z.array(z.looseObject({})).nullish(),
  location_latitude: number,
  location_longitude: number,
  location_accuracy: number,
  location_updated_at: text,
});

const device = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: deviceAttributes,
  relationships: z
    .looseObject({
      device_group: linkTo,
      /** In newer records. */
      custom_attribute_values: z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) }).nullish(),
    })
    .nullish(),
});

/** A device record without secrets. */
export type Device = z.output<typeof device>;

const deviceUser = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    username: text,
    full_name: text,
    uid: number,
    user_guid: text,
    data_quota: number,
    data_used: number,
    data_to_sync: flag,
    secure_token: flag,
    logged_in: flag,
    mobile_account: flag,
  }),
});

/** A user account on a Mac. */
export type DeviceUser = z.output<typeof deviceUser>;

/** What device records include. */
export interface DeviceOptions {
  /** Includes secret custom attributes (API 1.51). Their values are null unless `revealSecrets` is on. */
  readonly includeSecretCustomAttributes?: boolean;
}

/** Filters for the list of devices. */
export interface DeviceListOptions extends DeviceOptions {
  /** Name, UDID, serial number, IMEI, MAC address or phone number. */
  readonly search?: string;
  readonly includeAwaitingEnrollment?: boolean;
}

/** A new device record, which one device can enroll into. */
export interface NewDevice {
  readonly name: string;
  readonly groupId?: number;
  /** Static assignment groups (seen in use). */
  readonly staticGroupIds?: readonly number[];
}

/** The changes of a device. */
export interface DeviceChanges {
  /** The name in SimpleMDM. */
  readonly name?: string;
  /** The name on the device; supervised devices only. Changes when the device is online. */
  readonly deviceName?: string;
}

/** API reference, section Devices. */
export function createDevices(transport: Transport) {
  const listRequest = (options: DeviceListOptions = {}): ListRequest => ({
    route: '/devices',
    query: {
      search: options.search,
      include_awaiting_enrollment: options.includeAwaitingEnrollment,
      include_secret_custom_attributes: options.includeSecretCustomAttributes,
    },
  });
  const routeTo = (deviceId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/devices/{DEVICE_ID}${rest}`,
    params: { DEVICE_ID: deviceId, ...params },
  });
  const profiles = nestedListOf(transport, profile, (deviceId) => routeTo(deviceId, '/profiles'));
  const installedApps = nestedListOf(transport, installedApp, (deviceId) =>
    routeTo(deviceId, '/installed_apps'),
  );
  const users = nestedListOf(transport, deviceUser, (deviceId) => routeTo(deviceId, '/users'));
  return {
    /** List all: `GET /devices`. */
    ...listOf(transport, device, listRequest),

    /** Retrieve one: `GET /devices/{DEVICE_ID}`. 404 for a device that has left the account. */
    retrieve: (deviceId: number, { includeSecretCustomAttributes }: DeviceOptions = {}): Promise<Device> =>
      fetchRecord(
        transport,
        {
          method: 'GET',
          ...routeTo(deviceId),
          query: { include_secret_custom_attributes: includeSecretCustomAttributes },
        },
        device,
      ),

    /** Create: `POST /devices`. Not idempotent. The `enrollment_url` of the record enrolls one device, once. */
    create: ({ name, groupId, staticGroupIds }: NewDevice): Promise<Device> =>
      fetchRecord(
        transport,
        {
          method: 'POST',
          route: '/devices',
          body: { name, group_id: groupId, static_group_ids: staticGroupIds },
        },
        device,
      ),

    /**
     * Update: `PATCH /devices/{DEVICE_ID}`.
     *
     * @throws SimpleMdmError 422 when `deviceName` is set on a device that is not supervised.
     */
    update: (deviceId: number, { name, deviceName }: DeviceChanges): Promise<Device> =>
      fetchRecord(
        transport,
        {
          method: 'PATCH',
          ...routeTo(deviceId),
          body: { name, device_name: deviceName },
          idempotent: true,
        },
        device,
      ),

    /** Delete: `DELETE /devices/{DEVICE_ID}`: unenrolls the device and removes it from the account. */
    delete: (deviceId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(deviceId) }),

    /** List profiles: `GET /devices/{DEVICE_ID}/profiles`: the profiles assigned to the device directly, not through groups. */
    listProfiles: profiles.list,

    /** One page of {@link listProfiles}. */
    listProfilesPage: profiles.listPage,

    /** List installed apps: `GET /devices/{DEVICE_ID}/installed_apps`. */
    listInstalledApps: installedApps.list,

    /** One page of {@link listInstalledApps}. */
    listInstalledAppsPage: installedApps.listPage,

    /** List Users: `GET /devices/{DEVICE_ID}/users`. macOS only. */
    listUsers: users.list,

    /** One page of {@link listUsers}. */
    listUsersPage: users.listPage,

    /**
     * Delete User: `DELETE /devices/{DEVICE_ID}/users/{USER_ID}`. Asynchronous.
     *
     * @throws SimpleMdmError 422 unless the device is a supervised Mac.
     */
    deleteUser: (deviceId: number, userId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(deviceId, '/users/{USER_ID}', { USER_ID: userId }) }),

    ...deviceCommands(transport),
  };
}
