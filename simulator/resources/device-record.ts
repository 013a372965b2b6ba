import type { DeviceAttributes } from '../fleet/device-attributes.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { deviceValues } from './custom-attribute-values.js';

export interface DeviceRecord {
  type: 'device';
  id: number;
  attributes: DeviceAttributes;
  relationships: {
    device_group: { data: { type: 'device_group'; id: number } };
    custom_attribute_values?: { data: ReturnType<typeof deviceValues> };
  };
}

/** The API record of a device (reference: Devices, Retrieve one). Contains secret values only on request. */
export function deviceRecord(fleet: Fleet, device: Device, includeSecretValues: boolean): DeviceRecord {
  const values = deviceValues(fleet, device).filter(
    ({ attributes }) => includeSecretValues || !attributes.secret,
  );
  return {
    type: 'device',
    id: device.id,
    attributes: structuredClone(device.attributes),
    relationships: {
      device_group: { data: { type: 'device_group', id: device.groupId } },
      ...(device.listsCustomValues && { custom_attribute_values: { data: values } }),
    },
  };
}
