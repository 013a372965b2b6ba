import { z } from 'zod';
import { deviceCommands } from './device-commands.js';
import { installedApp } from './installed-apps.js';
import { profile } from './profiles.js';
import { fetchRecord, linkTo, linksTo, listOf, nestedListOf, send } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

/** A SIM or eSIM of a device (seen in real accounts; the reference does not show one). */
const serviceSubscription = z.looseObject({
  slot: textField,
  carrier_settings_version: textField,
  current_carrier_network: textField,
  current_mcc: textField,
  current_mnc: textField,
  iccid: textField,
  imei: textField,
  phone_number: textField,
  is_data_preferred: flagField,
  is_voice_preferred: flagField,
  label: textField,
  meid: textField,
  eid: textField,
});

/**
 * The attributes of a device. Most are null on some platform, and older records lack newer attributes. Secret attributes are
 * left out (see secrets.ts).
 */
export const deviceAttributes = z.looseObject({
  name: textField,
  last_seen_at: textField,
  last_seen_ip: textField,
  status: textField,
  enrollment_url: textField,
  enrollment_channels: z.array(z.string()).nullish(),
  enrolled_at: textField,
  device_name: textField,
  os_version: textField,
  supplemental_build_version: textField,
  supplemental_os_version_extra: textField,
  build_version: textField,
  model_name: textField,
  model: textField,
  product_name: textField,
  unique_identifier: textField,
  serial_number: textField,
  processor_architecture: textField,
  imei: textField,
  meid: textField,
  device_capacity: numberField,
  available_device_capacity: numberField,
  battery_level: textField,
  modem_firmware_version: textField,
  iccid: textField,
  bluetooth_mac: textField,
  ethernet_macs: z.array(z.string()).nullish(),
  wifi_mac: textField,
  current_carrier_network: textField,
  sim_carrier_network: textField,
  subscriber_carrier_network: textField,
  carrier_settings_version: textField,
  phone_number: textField,
  voice_roaming_enabled: flagField,
  data_roaming_enabled: flagField,
  is_roaming: flagField,
  subscriber_mcc: textField,
  subscriber_mnc: textField,
  simmnc: textField,
  current_mcc: textField,
  current_mnc: textField,
  hardware_encryption_caps: numberField,
  passcode_present: flagField,
  passcode_compliant: flagField,
  passcode_compliant_with_profiles: flagField,
  is_supervised: flagField,
  is_dep_enrollment: flagField,
  dep_enrolled: flagField,
  dep_assigned: flagField,
  ddm_enabled: flagField,
  user_enrollment: flagField,
  auto_admin_name: textField,
  is_user_approved_enrollment: flagField,
  is_device_locator_service_enabled: flagField,
  is_do_not_disturb_in_effect: flagField,
  personal_hotspot_enabled: flagField,
  itunes_store_account_is_active: flagField,
  cellular_technology: numberField,
  last_cloud_backup_date: textField,
  is_activation_lock_enabled: flagField,
  is_cloud_backup_enabled: flagField,
  filevault_enabled: flagField,
  lost_mode_enabled: flagField,
  firmware_password_enabled: flagField,
  recovery_lock_password_enabled: flagField,
  remote_desktop_enabled: flagField,
  firewall: z
    .looseObject({ enabled: flagField, block_all_incoming: flagField, stealth_mode: flagField })
    .nullish(),
  system_integrity_protection_enabled: flagField,
  os_update: z
    .looseObject({
      automatic_os_installation_enabled: flagField,
      automatic_app_installation_enabled: flagField,
      automatic_check_enabled: flagField,
      automatic_security_updates_enabled: flagField,
      background_download_enabled: flagField,
      catalog_url: textField,
      default_catalog: z.union([z.boolean(), z.string()]).nullish(),
      perform_periodic_check: flagField,
      previous_scan_date: textField,
      previous_scan_result: z.union([z.string(), z.number()]).nullish(),
    })
    .nullish(),
  managed_apple_id: textField,
  time_zone: textField,
  service_subscriptions: z.array(serviceSubscription).nullish(),
  location_latitude: numberField,
  location_longitude: numberField,
  location_accuracy: numberField,
  location_updated_at: textField,
});

const device = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: deviceAttributes,
  relationships: z
    .looseObject({
      device_group: linkTo,
      /** The assignment groups of the device, each with `group_type` (`static`, `dynamic`); older records lack them. */
      groups: linksTo,
      /** Only value and secret; older records lack them. */
      custom_attribute_values: z
        .looseObject({
          data: z
            .array(
              z.looseObject({
                id: z.string(),
                attributes: z.looseObject({ value: textField, secret: flagField }).nullish(),
              }),
            )
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

/** A device record without secrets. */
export type Device = z.output<typeof device>;

/** The schema of a user account on a Mac. */
export const deviceUser = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    username: textField,
    full_name: textField,
    uid: numberField,
    user_guid: textField,
    data_quota: numberField,
    data_used: numberField,
    data_to_sync: flagField,
    secure_token: flagField,
    logged_in: flagField,
    mobile_account: flagField,
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
