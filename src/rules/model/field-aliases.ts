/** Names of device data that newcomers try, and how conditions and templates write them. */
const FIELDS: Readonly<Record<string, string>> = {
  custom_attributes: 'attributes.department',
  customattributes: 'attributes.department',
  attribute: 'attributes.department',
  custom_attribute_values: 'attributes.department',
  installed_apps: 'apps.exists(a, a.name == "Zoom")',
  applications: 'apps.exists(a, a.name == "Zoom")',
  software: 'apps.exists(a, a.name == "Zoom")',
  apps: 'apps.exists(a, a.name == "Zoom")',
  serial: 'device.serial_number',
  serialnumber: 'device.serial_number',
  os: 'version(device.os_version) >= version("15")',
  osversion: 'device.os_version',
  os_name: 'device.platform',
  ostype: 'device.platform',
  type: 'device.platform',
  group: 'in_group("Laptops"), or group.name',
  groups: 'in_group("Laptops")',
  device_group: 'in_group("Laptops"), or group.name',
  group_name: 'group.name',
  uuid: 'device.unique_identifier',
  udid: 'device.unique_identifier',
  hostname: 'device.device_name',
  last_checkin: 'device.last_seen_at',
  last_check_in: 'device.last_seen_at',
  lastseen: 'device.last_seen_at',
  enrolled: 'device.status == "enrolled"',
  enrolled_date: 'device.enrolled_at',
  battery: 'double(device.battery_level.split("%")[0]) < 20',
  free_space: 'device.capacity_free_ratio < 0.1',
  disk_free: 'device.capacity_free_ratio < 0.1',
  filevault: 'device.filevault_enabled',
  firewall_enabled: 'device.firewall.enabled',
  ip: 'device.last_seen_ip',
  ip_address: 'device.last_seen_ip',
  supervised: 'device.is_supervised',
};

/** `: write …` for a field that has another name here; empty when nothing is known about the name. */
export function fieldHint(name: string): string {
  const key = name.toLowerCase();
  return Object.hasOwn(FIELDS, key) ? `: write ${FIELDS[key] ?? ''}` : '';
}
