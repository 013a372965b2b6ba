import type { DeviceAttributes } from '../fleet/device-attributes.js';
import type { Device } from '../fleet/device.js';
import type { AssignmentGroup, Fleet } from '../fleet/fleet.js';
import { groupLink, type GroupLink } from './group-links.js';
import { deviceValues } from './custom-attribute-values.js';

export interface DeviceRecord {
  type: 'device';
  id: number;
  attributes: DeviceAttributes;
  relationships: {
    device_group: { data: { type: 'device_group'; id: number } };
    groups: { data: GroupLink[] };
    custom_attribute_values: { data: InlineValue[] };
  };
}

interface InlineValue {
  type: string;
  id: string;
  attributes: { secret: boolean; value: string };
}

/** The API record of a device (reference: Devices, Retrieve one). Contains secret values only on request. */
export function deviceRecord(fleet: Fleet, device: Device, includeSecretValues: boolean): DeviceRecord {
  return {
    type: 'device',
    id: device.id,
    attributes: structuredClone(device.attributes),
    relationships: {
      device_group: { data: { type: 'device_group', id: device.groupId } },
      groups: { data: groupsOf(fleet, device).map(groupLink) },
      custom_attribute_values: { data: inlineValues(fleet, device, includeSecretValues) },
    },
  };
}

/** The assignment groups that have the device itself as a member: the inverse of `relationships.devices` of a group. */
function groupsOf({ assignmentGroups }: Fleet, { id }: Device): AssignmentGroup[] {
  return [...assignmentGroups.values()].filter(({ deviceIds }) => deviceIds.has(id));
}

/** Values inside a record have no `source`. */
function inlineValues(fleet: Fleet, device: Device, includeSecretValues: boolean): InlineValue[] {
  return deviceValues(fleet, device)
    .filter(({ attributes }) => includeSecretValues || !attributes.secret)
    .map(({ type, id, attributes: { secret, value } }) => ({ type, id, attributes: { secret, value } }));
}
