import { z } from 'zod';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, defineAction } from './action.js';
import { defineDeviceAction } from './device-action.js';
import { reference, resolveReference } from './reference.js';

const text = z.string('expected a text').min(1, 'expected a text');

/** Renames the device at SimpleMDM, on itself, or both (API reference, Devices, Update). */
export const rename = defineDeviceAction({
  about: 'Renames the device at SimpleMDM (`name`), on itself (`device_name`, supervised devices), or both.',
  example: "rename: { name: 'Mac {{ device.serial_number }}' }",
  args: z
    .strictObject({ name: text.optional(), device_name: text.optional() })
    .refine(
      ({ name, device_name }) => name !== undefined || device_name !== undefined,
      'expected a name, a device_name, or both',
    ),
  repeatable: true,
  refuse: ({ device_name }, { is_supervised: supervised }) =>
    device_name !== undefined && supervised === false
      ? 'device_name: only a supervised device can be renamed on itself; give name alone'
      : undefined,
  send: async ({ name, device_name }, { id }, { api }) => {
    await api.devices.update(id, {
      ...(name !== undefined && { name }),
      ...(device_name !== undefined && { deviceName: device_name }),
    });
    return {};
  },
});

/** Makes a place that one device can enroll into, once (API reference, Devices, Create). */
export const createDevice = defineAction({
  about: 'Makes a place that one device can enroll into, once, and its enrollment URL.',
  example: "create_device: { name: 'iPad for {{ event.data.person }}', group: Field }",
  args: z.strictObject({ name: text, group: reference.optional() }),
  refersTo: { group: 'device group' },
  outputs: { device_id: 'number', enrollment_url: 'string' },
  facts: [],
  perform: async ({ name, group }, { api, directory, claim }) => {
    const groupId =
      group === undefined
        ? undefined
        : (
            await resolveReference(
              'device group',
              group,
              directory.deviceGroups,
              (item) => item.attributes.name,
            )
          ).id;
    const { id, attributes } = await api.devices.create({ name, ...(groupId !== undefined && { groupId }) });
    // Another run that lost its answer must not take this one for its own.
    await claim(`device:${id}`);
    return {
      status: 'completed',
      output: { device_id: id, enrollment_url: attributes.enrollment_url ?? null },
    };
  },
  findEarlier: async ({ name }, { api, claim }) => {
    // One that waits under this name and is nobody else's is the one that the lost answer was about.
    for await (const device of api.devices.list({ search: name, includeAwaitingEnrollment: true })) {
      const { attributes, id } = device;
      if (attributes.name !== name || attributes.status !== 'awaiting enrollment') continue;
      if (!(await claim(`device:${id}`))) continue;
      return {
        status: 'completed',
        output: { device_id: id, enrollment_url: attributes.enrollment_url ?? null },
      };
    }
    return undefined;
  },
});

/** Unenrolls the device and removes its record (API reference, Devices, Delete). */
export const deleteDevice = defineDeviceAction({
  causes: 'device.unenrolled',
  about: 'Unenrolls the device and removes its record.',
  example: 'delete_device: {}',
  class: 'destructive',
  args: z.strictObject({}),
  repeatable: true,
  send: (_args, { id }, { api }) => goneIsDone(api.devices.delete(id)),
});

/** Deletes a local account of a Mac, with its data (API reference, Devices, Delete User). */
export const deleteUser = defineDeviceAction({
  about: 'Deletes a local account of a Mac, with its data.',
  example: 'delete_user: { user: temp }',
  class: 'destructive',
  args: z.strictObject({ user: text }),
  outputs: { user_id: 'number' },
  platforms: ['macOS'],
  supervised: true,
  repeatable: true,
  send: async ({ user }, { id }, { api }) => {
    for await (const { id: userId, attributes } of api.devices.listUsers(id)) {
      if (attributes.username !== user) continue;
      await goneIsDone(api.devices.deleteUser(id, userId));
      return { user_id: userId };
    }
    throw new StepError('step/unknown-reference', `there is no user "${user}" on the device`);
  },
});

/** What is to be removed and is not there has been removed. */
async function goneIsDone(removal: Promise<number>): Promise<number> {
  try {
    return await removal;
  } catch (error) {
    if (error instanceof SimpleMdmError && error.notFound) return 404;
    throw error;
  }
}
