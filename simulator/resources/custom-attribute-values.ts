import { ok, unprocessable, type Answer } from '../api/answer.js';
import type { Call, Route } from '../api/route.js';
import type { CustomAttribute, Device, DeviceGroup, Fleet } from '../fleet/fleet.js';
import { withRecord } from './retrieve.js';

/** The calls of the reference's section Custom Attributes about the values of devices and of device groups. */
export function customAttributeValueRoutes(fleet: Fleet): Route[] {
  const { devices, deviceGroups } = fleet;
  return [
    {
      method: 'GET',
      path: '/devices/:id/custom_attribute_values',
      handle: (call) => withRecord(call, devices, (device) => ok({ data: deviceValues(fleet, device) })),
    },
    {
      method: 'PUT',
      path: '/devices/:id/custom_attribute_values/:name',
      handle: (call) =>
        withRecord(call, devices, (device) =>
          setValue(fleet, call, device.customValues, (attribute) => deviceValue(fleet, device, attribute)),
        ),
    },
    {
      method: 'GET',
      path: '/device_groups/:id/custom_attribute_values',
      handle: (call) => withRecord(call, deviceGroups, (group) => ok({ data: groupValues(fleet, group) })),
    },
    {
      method: 'PUT',
      path: '/device_groups/:id/custom_attribute_values/:name',
      handle: (call) =>
        withRecord(call, deviceGroups, (group) =>
          setValue(fleet, call, group.customValues, (attribute) => groupValue(group, attribute)),
        ),
    },
  ];
}

/** The values that hold for a device: its own, else its group's, else the account's default. */
export function deviceValues(fleet: Fleet, device: Device) {
  return [...fleet.customAttributes.values()].map((attribute) => deviceValue(fleet, device, attribute));
}

function deviceValue(fleet: Fleet, device: Device, attribute: CustomAttribute) {
  const own = device.customValues.get(attribute.id);
  if (own !== undefined) return valueRecord(attribute, own, 'device');
  const group = fleet.deviceGroups.get(device.groupId);
  return group === undefined
    ? valueRecord(attribute, attribute.default_value, 'account')
    : groupValue(group, attribute);
}

function groupValues(fleet: Fleet, group: DeviceGroup) {
  return [...fleet.customAttributes.values()].map((attribute) => groupValue(group, attribute));
}

function groupValue(group: DeviceGroup, attribute: CustomAttribute) {
  const own = group.customValues.get(attribute.id);
  return own === undefined
    ? valueRecord(attribute, attribute.default_value, 'account')
    : valueRecord(attribute, own, 'group');
}

function valueRecord(
  attribute: CustomAttribute,
  value: string | null,
  source: 'device' | 'group' | 'account',
) {
  return {
    type: 'custom_attribute_value',
    id: attribute.id,
    attributes: { value: value ?? '', secret: attribute.secret, source },
  };
}

function setValue(
  fleet: Fleet,
  call: Call,
  values: Map<string, string>,
  show: (attribute: CustomAttribute) => unknown,
): Answer {
  const attribute = fleet.customAttributes.get(call.path['name'] ?? '');
  if (attribute === undefined) return unprocessable('custom attribute is not defined');
  // An empty value is a value: it takes the group's or the account's away.
  const { value } = call.params;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    return unprocessable('value is required');
  }
  values.set(attribute.id, String(value));
  return ok({ data: show(attribute) });
}
