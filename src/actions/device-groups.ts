import { z } from 'zod';
import { deviceIdOf } from '../enrichment/event-device.js';
import { defineAction } from './action.js';
import { reference, resolveReference } from './reference.js';
import { SKIPPED_WITHOUT_DEVICE } from './device-action.js';

/** Puts the event's device in a device group (API reference, Device Groups, Assign device). Asynchronous at SimpleMDM. */
export const assignDeviceGroup = defineAction({
  causes: 'device.changed_group',
  about: 'Puts the device in a device group. SimpleMDM does it a moment later.',
  example: 'assign_device_group: { group: Laptops }',
  args: z.strictObject({ group: reference }),
  shorthand: 'group',
  refersTo: { group: 'device group' },
  outputs: { group_id: 'number', group_name: 'string' },
  facts: [],
  onDevice: true,
  perform: async ({ group }, context) => {
    const deviceId = await deviceIdOf(context);
    if (deviceId === undefined) return SKIPPED_WITHOUT_DEVICE;
    const { id, attributes } = await resolveReference(
      'device group',
      group,
      context.directory.deviceGroups,
      (item) => item.attributes.name,
    );
    await context.api.deviceGroups.assignDevice(id, deviceId);
    return { status: 'completed', output: { group_id: id, group_name: attributes.name } };
  },
});
