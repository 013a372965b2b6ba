import { blankAttributes, type DeviceAttributes } from '../fleet/device-attributes.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';

/** What a device reports about its security, after its model and system. */
const SECURITY: readonly (keyof DeviceAttributes)[] = [
  'passcode_present',
  'passcode_compliant',
  'passcode_compliant_with_profiles',
  'hardware_encryption_caps',
  'is_user_approved_enrollment',
  'is_activation_lock_enabled',
  'filevault_enabled',
  'filevault_recovery_key',
  'firmware_password_enabled',
  'firmware_password',
  'recovery_lock_password_enabled',
  'recovery_lock_password',
  'remote_desktop_enabled',
  'firewall',
  'system_integrity_protection_enabled',
  'os_update',
];

/** What SimpleMDM knows of a device that has enrolled and reported nothing yet. */
const KNOWN: readonly (keyof DeviceAttributes)[] = [
  'status',
  'enrollment_channels',
  'enrolled_at',
  'is_dep_enrollment',
  'dep_enrolled',
  'dep_assigned',
  'ddm_enabled',
  'user_enrollment',
  'auto_admin_name',
];

/**
 * A device that has enrolled and reported nothing: names, model, system and serial number are null, and it has no apps and no log.
 * Its webhooks have its identifiers, which it sent when it enrolled.
 */
export function withoutInventory(device: Device): Device {
  const { attributes } = device;
  const { unique_identifier: udid, serial_number } = attributes;
  return {
    ...device,
    attributes: {
      ...blankAttributes(null),
      model_name: null,
      ...pick(attributes, KNOWN),
    },
    apps: [],
    users: [],
    webhookIdentifiers: { udid, serial_number },
  };
}

/** Lets an enrolled device report itself in three steps: model and system, security, then apps, users and its log. */
export function reportInventoryLater(fleet: Fleet, full: Device, inventoryMs: number): void {
  const step = (share: number, report: (device: Device) => void): void => {
    fleet.clock.after(inventoryMs * share, () => {
      const device = fleet.devices.edit(full.id);
      // The device may have left, or enrolled again.
      if (device?.webhookIdentifiers === undefined) return;
      report(device);
      // The table finds devices by their serial number.
      fleet.devices.add(device);
    });
  };
  const { attributes } = full;
  step(1 / 3, (device) => {
    const names = Object.keys(attributes).filter(isAttribute(attributes));
    const { name } = device.attributes;
    Object.assign(
      device.attributes,
      pick(
        attributes,
        names.filter((field) => !SECURITY.includes(field)),
      ),
    );
    // An admin may have named the device meanwhile.
    device.attributes.name = name ?? attributes.name;
  });
  step(2 / 3, (device) => Object.assign(device.attributes, pick(attributes, SECURITY)));
  step(1, (device) => {
    device.apps.push(...full.apps);
    device.users.push(...full.users);
    delete device.webhookIdentifiers;
    writeDeviceLog(fleet, device, { event_type: 'device.enrolled' });
  });
}

function isAttribute(attributes: DeviceAttributes) {
  return (name: string): name is keyof DeviceAttributes => name in attributes;
}

function pick(
  attributes: DeviceAttributes,
  fields: readonly (keyof DeviceAttributes)[],
): Partial<DeviceAttributes> {
  return Object.fromEntries(
    fields.flatMap((field) => (field in attributes ? [[field, attributes[field]]] : [])),
  );
}
