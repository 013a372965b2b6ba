import { member, valueAt } from '../rules/model/values.js';
import type { Values } from '../rules/model/values.js';

/**
 * Which facts a device itself reports. SimpleMDM posts `device.enrolled` before the device has done so: its record is then empty for
 * seconds to minutes, and its apps and log for longer. A null there means "not yet", and never "no".
 */

/** The fields of `device` that SimpleMDM knows without the device. A null in any other field may be one that the device still reports. */
const KNOWN_WITHOUT_DEVICE: ReadonlySet<string> = new Set([
  'id',
  'status',
  'group_id',
  'assignment_group_ids',
  'attributes',
  'enrolled_at',
  'enrollment_url',
  'enrollment_channels',
  'is_dep_enrollment',
  'dep_enrolled',
  'dep_assigned',
  'user_enrollment',
  'ddm_enabled',
  'lost_mode_enabled',
  'auto_admin_name',
]);

/** Fields of devices with a modem. Some iPads have none. */
const CELLULAR: readonly string[] = [
  'imei',
  'meid',
  'modem_firmware_version',
  'iccid',
  'current_carrier_network',
  'sim_carrier_network',
  'subscriber_carrier_network',
  'carrier_settings_version',
  'phone_number',
  'voice_roaming_enabled',
  'data_roaming_enabled',
  'is_roaming',
  'subscriber_mcc',
  'subscriber_mnc',
  'simmnc',
  'current_mcc',
  'current_mnc',
  'cellular_technology',
  'personal_hotspot_enabled',
  'service_subscriptions',
];

/** Fields that a device may never have a value for. They are final once the device has reported its model and system. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'battery_level',
  'supplemental_build_version',
  'supplemental_os_version_extra',
  'bluetooth_mac',
  'ethernet_macs',
  'wifi_mac',
  ...CELLULAR,
  'last_cloud_backup_date',
  'managed_apple_id',
  'itunes_store_account_is_active',
  'time_zone',
  'location_latitude',
  'location_longitude',
  'location_accuracy',
  'location_updated_at',
]);

const MAC_ONLY: ReadonlySet<string> = new Set([
  'processor_architecture',
  'filevault_enabled',
  'firewall',
  'firmware_password_enabled',
  'recovery_lock_password_enabled',
  'remote_desktop_enabled',
  'system_integrity_protection_enabled',
  'os_update',
  'is_user_approved_enrollment',
]);

const NOT_ON_A_MAC: ReadonlySet<string> = new Set([
  ...CELLULAR,
  'hardware_encryption_caps',
  'passcode_present',
  'is_cloud_backup_enabled',
  'last_cloud_backup_date',
]);

/** Facts that are lists of what a device reports or does. An empty one may mean "not there yet". */
const LISTS: ReadonlySet<string> = new Set(['apps', 'users', 'logs', 'profiles']);

/** Lists that stay empty for a while after the device has reported itself. Profiles do not: SimpleMDM knows what it assigned. */
const LATE_LISTS: ReadonlySet<string> = new Set(['apps', 'users', 'logs']);

/** Facts that SimpleMDM finds by the serial number of the device. */
const BY_SERIAL_NUMBER: ReadonlySet<string> = new Set(['logs', 'dep_device']);

/** Whether a device has reported nothing about itself since it enrolled. */
function hasNeverReported(device: unknown): boolean {
  return ['platform', 'product_name', 'model_name', 'os_version'].every(
    (field) => (member(device, field) ?? null) === null,
  );
}

/** Whether a device has reported its model and its system. What else it reports in the same answer is final then. */
function hasReportedCore(device: unknown): boolean {
  const has = (field: string): boolean => (member(device, field) ?? null) !== null;
  return has('os_version') && (has('product_name') || has('model_name'));
}

/** Whether SimpleMDM has the record of a device. */
function isKnown(device: unknown): boolean {
  return typeof device === 'object' && device !== null;
}

/** Whether a device can still report: SimpleMDM has its record, and it has not left. */
function mayReport(device: unknown): boolean {
  return isKnown(device) && member(device, 'status') !== 'unenrolled';
}

/** Whether a field that is null may get a value from the device. */
function mayArrive(field: string, device: unknown): boolean {
  if (KNOWN_WITHOUT_DEVICE.has(field)) return false;
  const platform = member(device, 'platform') ?? null;
  if (platform !== null && platform !== 'unknown') {
    if (MAC_ONLY.has(field) && platform !== 'macOS') return false;
    if (NOT_ON_A_MAC.has(field) && platform === 'macOS') return false;
  }
  if (field === 'capacity_free_ratio') {
    // Derived from two fields: a capacity of 0 has no ratio.
    const parts = ['device_capacity', 'available_device_capacity'];
    return parts.some((part) => (member(device, part) ?? null) === null);
  }
  return !(OPTIONAL.has(field) && hasReportedCore(device));
}

/**
 * Whether the list of a fact is empty only because the device has not reported it yet.
 *
 * @param settling - Whether the device enrolled so recently that lists may still be missing when its record is there.
 */
export function isListPending(name: string, list: unknown, device: unknown, settling: boolean): boolean {
  if (!LISTS.has(name) || !Array.isArray(list) || list.length > 0 || !isKnown(device)) return false;
  // Nobody knows the apps of a device that has left without a report either.
  if (hasNeverReported(device)) return true;
  if (!settling || !LATE_LISTS.has(name) || !mayReport(device)) return false;
  // Only Macs have user accounts.
  const platform = member(device, 'platform');
  return name !== 'users' || platform === 'macOS' || platform === 'unknown';
}

/** Whether only the record of the device tells what the value of a fact means: it is empty, or was found by serial number. */
export function dependsOnDevice(name: string, value: unknown): boolean {
  if (value === null) return BY_SERIAL_NUMBER.has(name);
  return LISTS.has(name) && Array.isArray(value) && value.length === 0;
}

/**
 * The values with null in place of each list that the device has not reported yet: a condition on it is unknown then, and
 * `!apps.exists(…)` is not true.
 */
export function withoutPendingLists(values: Values, settling: boolean): Values {
  const pending = Object.entries(values).filter(([name, value]) =>
    isListPending(name, value, values['device'], settling),
  );
  return pending.length === 0
    ? values
    : { ...values, ...Object.fromEntries(pending.map(([name]) => [name, null])) };
}

/**
 * The inventory that an expression reads, and that the device of the event may still report.
 *
 * @param paths - The paths that the expression reads, such as `device`, `model_name`.
 * @param values - The facts. `device` is null when SimpleMDM does not have the device.
 * @returns Names such as `model_name`, `firewall.enabled` or `apps`, each once.
 */
export function missingInventory(
  paths: readonly (readonly string[])[],
  values: Values,
  settling: boolean,
): string[] {
  const device = values['device'];
  if (!mayReport(device)) return [];
  const missing = paths.flatMap((path): string[] => {
    const [fact = '', field] = path;
    if (fact === 'device') {
      if (field === undefined || (valueAt(values, path) ?? null) !== null) return [];
      return mayArrive(field, device) ? [path.slice(1).join('.')] : [];
    }
    const value = values[fact];
    // A list that is null was empty: see withoutPendingLists.
    if (LISTS.has(fact) && isListPending(fact, value ?? [], device, settling)) return [fact];
    const hasSerialNumber = (member(device, 'serial_number') ?? null) !== null;
    return BY_SERIAL_NUMBER.has(fact) && value === null && !hasSerialNumber ? ['serial_number'] : [];
  });
  return [...new Set(missing)];
}
