import { z } from 'zod';
import type { Transport } from './http.js';
import { installedApp } from './installed-apps.js';
import type { InstalledApp } from './installed-apps.js';
import { fetchAll, fetchParsed, linkTo, single } from './resource.js';

const text = z.string().nullish();
const flag = z.boolean().nullish();
/** Some records hold numbers as text (`location_latitude`, `device_capacity` of old records). */
const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish();

/**
 * The attributes of a device. Most are null on the platforms they do not apply to, and older records lack the newer ones.
 * The secret ones are not here: the client never hands them out.
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
  location_latitude: number,
  location_longitude: number,
  location_accuracy: number,
  location_updated_at: text,
});

const device = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: deviceAttributes,
  relationships: z.looseObject({ device_group: linkTo }).optional(),
});

/** A device record without its secrets. */
export type Device = z.output<typeof device>;

/** What narrows a list of devices. */
export interface DeviceListOptions {
  /** Name, UDID, serial number, IMEI, MAC address or phone number. */
  readonly search?: string;
  readonly includeAwaitingEnrollment?: boolean;
}

/** API reference, section Devices. */
export function createDevices(transport: Transport) {
  return {
    /** List all: `GET /devices`. */
    list: ({ search, includeAwaitingEnrollment }: DeviceListOptions = {}): AsyncGenerator<Device> =>
      fetchAll(
        transport,
        { route: '/devices', query: { search, include_awaiting_enrollment: includeAwaitingEnrollment } },
        device,
      ),

    /** Retrieve one: `GET /devices/{DEVICE_ID}`. A device that has left answers 404. */
    retrieve: async (deviceId: number): Promise<Device> =>
      (
        await fetchParsed(
          transport,
          { method: 'GET', route: '/devices/{DEVICE_ID}', params: { DEVICE_ID: deviceId } },
          single(device),
        )
      ).data,

    /** List installed apps: `GET /devices/{DEVICE_ID}/installed_apps`. */
    listInstalledApps: (deviceId: number): AsyncGenerator<InstalledApp> =>
      fetchAll(
        transport,
        { route: '/devices/{DEVICE_ID}/installed_apps', params: { DEVICE_ID: deviceId } },
        installedApp,
      ),
  };
}
