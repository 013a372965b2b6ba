import { z } from 'zod';
import { notFound, ok, unprocessable, type ApiResponse } from '../api/response.js';
import type { Call, Route } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { CustomAttribute, Fleet } from '../fleet/fleet.js';
import { editableDevices, withRecord } from './retrieve.js';

/**
 * The calls of the reference's section Custom Attributes about the values of devices and device groups, those of API 1.51 that set
 * several values, and undocumented ones for assignment groups.
 */
export function customAttributeValueRoutes(fleet: Fleet): Route[] {
  const { devices, deviceGroups, assignmentGroups } = fleet;
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
        withRecord(call, editableDevices(fleet), (device) =>
          setValue(fleet, call, device.customValues, (attribute) => deviceValue(fleet, device, attribute)),
        ),
    },
    {
      method: 'PUT',
      path: '/devices/:id/custom_attribute_values',
      handle: (call) =>
        withRecord(call, editableDevices(fleet), (device) => setValues(fleet, call, device.customValues)),
    },
    {
      method: 'PUT',
      path: '/custom_attribute_values/:name',
      handle: (call) => setForDevices(fleet, call),
    },
    {
      method: 'GET',
      path: '/device_groups/:id/custom_attribute_values',
      handle: (call) => withRecord(call, deviceGroups, (group) => ok({ data: groupValues(fleet, group) })),
    },
    {
      method: 'PUT',
      path: '/device_groups/:id/custom_attribute_values/:name',
      handle: (call) => withRecord(call, deviceGroups, (group) => setOnGroup(fleet, call, group)),
    },
    {
      method: 'GET',
      path: '/assignment_groups/:id/custom_attribute_values',
      handle: (call) =>
        withRecord(call, assignmentGroups, (group) => ok({ data: groupValues(fleet, group) })),
    },
    {
      method: 'PUT',
      path: '/assignment_groups/:id/custom_attribute_values/:name',
      handle: (call) => withRecord(call, assignmentGroups, (group) => setOnGroup(fleet, call, group)),
    },
  ];
}

interface GroupWithValues {
  customValues: Map<string, string>;
}

/** The effective values of a device: its own, else those of its group, else the defaults of the account. */
export function deviceValues(fleet: Fleet, device: Device) {
  return [...fleet.customAttributes].map((attribute) => deviceValue(fleet, device, attribute));
}

function deviceValue(fleet: Fleet, device: Device, attribute: CustomAttribute) {
  const own = device.customValues.get(attribute.id);
  if (own !== undefined) return valueRecord(attribute, own, 'device');
  const groups: (GroupWithValues | undefined)[] = [
    fleet.deviceGroups.get(device.groupId),
    ...[...fleet.assignmentGroups.values()].filter(
      ({ deviceIds, deviceGroupIds }) => deviceIds.has(device.id) || deviceGroupIds.has(device.groupId),
    ),
  ];
  const group = groups.find((candidate) => candidate?.customValues.has(attribute.id));
  return groupValue(group, attribute);
}

function groupValues(fleet: Fleet, group: GroupWithValues) {
  return [...fleet.customAttributes].map((attribute) => groupValue(group, attribute));
}

function groupValue(group: GroupWithValues | undefined, attribute: CustomAttribute) {
  const own = group?.customValues.get(attribute.id);
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

const undefinedAttribute = (): ApiResponse => unprocessable('custom attribute is not defined');
const valueSchema = z.union([z.string(), z.number(), z.boolean()]).transform(String);

function setOnGroup(fleet: Fleet, call: Call, group: GroupWithValues): ApiResponse {
  return setValue(fleet, call, group.customValues, (attribute) => groupValue(group, attribute));
}

function setValue(
  fleet: Fleet,
  call: Call,
  values: Map<string, string>,
  show: (attribute: CustomAttribute) => unknown,
): ApiResponse {
  const attribute = fleet.customAttributes.get(call.path['name'] ?? '');
  if (attribute === undefined) return undefinedAttribute();
  // An empty value overrides the value of the group and the default of the account.
  const value = valueSchema.safeParse(call.params['value']);
  if (!value.success) return unprocessable('value is required');
  values.set(attribute.id, value.data);
  return ok({ data: show(attribute) });
}

const namedValues = z.array(z.object({ name: z.string(), value: valueSchema }));

function setValues(fleet: Fleet, call: Call, values: Map<string, string>): ApiResponse {
  const given = namedValues.safeParse(call.params['data']);
  if (!given.success) return unprocessable('data must be a list of names and values');
  const known = given.data.map(({ name, value }) => ({ id: fleet.customAttributes.get(name)?.id, value }));
  if (known.some(({ id }) => id === undefined)) return undefinedAttribute();
  for (const { id, value } of known) if (id !== undefined) values.set(id, value);
  return ok({ data: given.data });
}

const valuesOfDevices = z.array(z.object({ device_id: z.coerce.number().int(), value: valueSchema }));

function setForDevices(fleet: Fleet, call: Call): ApiResponse {
  const attribute = fleet.customAttributes.get(call.path['name'] ?? '');
  if (attribute === undefined) return undefinedAttribute();
  const given = valuesOfDevices.safeParse(call.params['data']);
  if (!given.success) return unprocessable('data must be a list of device_ids and values');
  if (given.data.some(({ device_id }) => !fleet.devices.has(device_id))) return notFound();
  for (const { device_id, value } of given.data) {
    fleet.devices.edit(device_id)?.customValues.set(attribute.id, value);
  }
  return ok({ data: given.data });
}
