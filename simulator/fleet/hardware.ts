import { blankAttributes, type DeviceAttributes } from './device-attributes.js';
import type { Platform } from './device.js';
import { between, characters, type Random } from './random.js';

export const deviceKinds = ['macbook', 'mac_mini', 'iphone', 'ipad', 'apple_tv'] as const;
export type DeviceKind = (typeof deviceKinds)[number];

export interface Identity {
  name: string;
  serialNumber: string;
  udid: string;
  /** The time of enrollment, in the format of the API. */
  at: string;
}

export const platformOf: Readonly<Record<DeviceKind, Platform>> = {
  macbook: 'macOS',
  mac_mini: 'macOS',
  iphone: 'iOS',
  ipad: 'iPadOS',
  apple_tv: 'tvOS',
};

/** The attributes of an enrolled device of a kind. */
export function attributesOf(
  kind: DeviceKind,
  identity: Identity,
  random: Random = Math.random,
): DeviceAttributes {
  return { ...enrolledAttributes(identity, random), ...hardware[kind](random) };
}

/** The characters of Apple serial numbers: no I and no O. */
export const serialAlphabet = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** A serial number of twelve characters. */
export function randomSerialNumber(random: Random = Math.random): string {
  return characters(random, serialAlphabet, 12);
}

/** A secret in the form of a FileVault recovery key: `ABCD-EFGH-…`, six groups of four. */
export function randomRecoveryKey(random: Random = Math.random): string {
  return Array.from({ length: 6 }, () => characters(random, serialAlphabet, 4)).join('-');
}

/** A password that SimpleMDM generates. */
export function randomPassword(random: Random = Math.random): string {
  return randomSerialNumber(random).toLowerCase();
}

function randomMac(random: Random): string {
  return Array.from({ length: 6 }, () => characters(random, '0123456789abcdef', 2)).join(':');
}

/** An IMEI in the format of devices, with a valid check digit (Luhn). */
export function randomImei(random: Random): string {
  const digits = `35${characters(random, '0123456789', 12)}`;
  const sum = Array.from(digits, Number).reduce((total, digit, index) => {
    const weighted = index % 2 === 0 ? digit : digit * 2;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return `${digits.slice(0, 2)} ${digits.slice(2, 8)} ${digits.slice(8)} ${(10 - (sum % 10)) % 10}`;
}

function enrolledAttributes({ name, serialNumber, udid, at }: Identity, random: Random): DeviceAttributes {
  return {
    ...blankAttributes(name),
    last_seen_at: at,
    last_seen_ip: '203.0.113.24',
    status: 'enrolled',
    enrollment_channels: ['device'],
    device_name: name,
    unique_identifier: udid,
    serial_number: serialNumber,
    bluetooth_mac: randomMac(random),
    wifi_mac: randomMac(random),
    is_supervised: true,
    is_dep_enrollment: true,
    is_activation_lock_enabled: false,
    enrolled_at: at,
    dep_enrolled: true,
    dep_assigned: true,
    ddm_enabled: true,
    user_enrollment: false,
    lost_mode_enabled: false,
    time_zone: 'America/Los_Angeles',
  };
}

function macAttributes(random: Random): Partial<DeviceAttributes> {
  return {
    ethernet_macs: [randomMac(random)],
    enrollment_channels: ['device', 'user'],
    passcode_compliant: true,
    passcode_compliant_with_profiles: true,
    is_user_approved_enrollment: true,
    is_device_locator_service_enabled: false,
    is_do_not_disturb_in_effect: false,
    itunes_store_account_is_active: false,
    firmware_password_enabled: false,
    recovery_lock_password_enabled: false,
    remote_desktop_enabled: false,
    filevault_enabled: false,
    firewall: { enabled: true, block_all_incoming: false, stealth_mode: false },
    system_integrity_protection_enabled: true,
    auto_admin_name: 'itadmin',
    os_update: {
      automatic_os_installation_enabled: false,
      automatic_app_installation_enabled: true,
      automatic_check_enabled: true,
      automatic_security_updates_enabled: true,
      background_download_enabled: true,
      catalog_url: 'https://swscan.apple.com/content/catalogs/others/index-15.sucatalog',
      default_catalog: true,
      perform_periodic_check: true,
      previous_scan_date: null,
      previous_scan_result: null,
    },
  };
}

function mobileAttributes(): Partial<DeviceAttributes> {
  return {
    hardware_encryption_caps: 3,
    passcode_present: true,
    passcode_compliant: true,
    passcode_compliant_with_profiles: true,
    is_device_locator_service_enabled: false,
    is_do_not_disturb_in_effect: false,
    itunes_store_account_is_active: false,
    is_cloud_backup_enabled: false,
    filevault_enabled: false,
    firmware_password_enabled: false,
    recovery_lock_password_enabled: false,
    remote_desktop_enabled: false,
  };
}

/** The attributes of a phone with its SIM. */
function withSubscription(phone: Partial<DeviceAttributes>): Partial<DeviceAttributes> {
  const { imei = null, meid = null, iccid = null, phone_number = null } = phone;
  const subscription = {
    slot: 'CTSubscriptionSlotOne',
    carrier_settings_version: '61.0',
    current_carrier_network: 'Verizon',
    current_mcc: '311',
    current_mnc: '480',
    iccid,
    imei,
    phone_number,
    is_data_preferred: true,
    is_voice_preferred: true,
    label: 'Primary',
    meid,
    eid: null,
  };
  return { ...phone, service_subscriptions: [subscription] };
}

const hardware: Readonly<Record<DeviceKind, (random: Random) => Partial<DeviceAttributes>>> = {
  macbook: (random) => ({
    ...macAttributes(random),
    os_version: '15.1',
    build_version: '24B83',
    model_name: 'MacBook Pro (14-inch, Nov 2023)',
    model: 'MRX33LL/A',
    product_name: 'Mac15,6',
    processor_architecture: 'arm64',
    device_capacity: 494.38,
    available_device_capacity: 401.52,
    battery_level: '87%',
    filevault_enabled: true,
    filevault_recovery_key: randomRecoveryKey(random),
    recovery_lock_password_enabled: true,
    recovery_lock_password: randomPassword(random),
  }),
  mac_mini: (random) => ({
    ...macAttributes(random),
    os_version: '14.7',
    build_version: '23H124',
    model_name: 'Mac mini (2018)',
    model: 'MRTR2LL/A',
    product_name: 'Macmini8,1',
    processor_architecture: 'x86_64',
    device_capacity: 250.69,
    available_device_capacity: 18.44,
    firmware_password_enabled: true,
    firmware_password: randomPassword(random),
  }),
  iphone: (random) =>
    withSubscription({
      ...mobileAttributes(),
      os_version: '18.1',
      build_version: '22B83',
      model_name: 'iPhone 15',
      model: 'MTLK3LL/A',
      product_name: 'iPhone15,4',
      imei: randomImei(random),
      device_capacity: 128,
      available_device_capacity: 97.3,
      battery_level: '93%',
      modem_firmware_version: '2.11.00',
      cellular_technology: 3,
      personal_hotspot_enabled: false,
      voice_roaming_enabled: true,
      data_roaming_enabled: false,
      is_roaming: false,
      phone_number: `+1555${between(random, 1_000_000, 9_999_999)}`,
    }),
  ipad: () => ({
    ...mobileAttributes(),
    os_version: '17.7',
    build_version: '21H16',
    model_name: 'iPad (10th generation)',
    model: 'MPQ03LL/A',
    product_name: 'iPad13,18',
    device_capacity: 64,
    available_device_capacity: 41.9,
    battery_level: '64%',
  }),
  apple_tv: () => ({
    ...mobileAttributes(),
    os_version: '18.1',
    build_version: '22J580',
    model_name: 'Apple TV 4K (3rd generation)',
    model: 'MN873LL/A',
    product_name: 'AppleTV14,1',
    passcode_present: false,
    device_capacity: 64,
    available_device_capacity: 52.6,
  }),
};
