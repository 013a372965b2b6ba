import { z } from 'zod';
import { deviceIdOf } from '../enrichment/event-device.js';
import { defineAction } from './action.js';
import { SKIPPED_WITHOUT_DEVICE } from './device-action.js';
import { referenceOutput } from './reference-action.js';
import { deviceGroups } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

/** API reference, Device Groups, Assign device. Needs the id of the device only, so that it also works before the device is enrolled. */
export const assignDeviceGroup = defineAction({
  causes: 'device.changed_group',
  about: 'Assigns the device to a device group. SimpleMDM makes the change a moment later.',
  example: 'assign_device_group: { group: Laptops }',
  args: z.strictObject({ group: reference }),
  shorthand: 'group',
  refersTo: { group: deviceGroups.kind },
  outputs: { group_id: 'number', group_name: 'string' },
  facts: [],
  onDevice: true,
  perform: async ({ group }, context) => {
    const deviceId = await deviceIdOf(context);
    if (deviceId === undefined) return SKIPPED_WITHOUT_DEVICE;
    const found = await deviceGroups.find(group, context.lists);
    await context.api.deviceGroups.assignDevice(found.id, deviceId);
    return { status: 'completed', output: referenceOutput('group', found) };
  },
});
