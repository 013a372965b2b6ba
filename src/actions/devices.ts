import { z } from 'zod';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, defineAction } from './action.js';
import { noArguments, text } from './argument-types.js';
import { defineDeviceAction } from './device-action.js';
import { deviceGroups } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

/** API reference, Devices, Update. */
export const rename = defineDeviceAction({
  about:
    'Renames the device in SimpleMDM (`name`), on the device (`device_name`, supervised devices only), or both.',
  example: "rename: { name: 'Mac {{ device.serial_number }}' }",
  args: z
    .strictObject({ name: text.optional(), device_name: text.optional() })
    .refine(
      ({ name, device_name }) => name !== undefined || device_name !== undefined,
      'expected a name, a device_name, or both',
    ),
  repeatable: true,
  decidesOn: ['is_supervised'],
  refuse: ({ device_name }, { is_supervised: supervised }) =>
    device_name !== undefined && supervised === false
      ? 'device_name: works on supervised devices only; use name alone'
      : undefined,
  send: async ({ name, device_name }, { id }, { api }) => {
    await api.devices.update(id, {
      ...(name !== undefined && { name }),
      ...(device_name !== undefined && { deviceName: device_name }),
    });
    return {};
  },
});

/** API reference, Devices, Create. */
export const createDevice = defineAction({
  about: 'Creates a device record with an enrollment URL, which enrolls one device, once.',
  example: "create_device: { name: 'iPad for {{ event.data.person }}', group: Field }",
  args: z.strictObject({ name: text, group: reference.optional() }),
  refersTo: { group: deviceGroups.kind },
  outputs: { device_id: 'number', enrollment_url: 'string' },
  facts: [],
  perform: async ({ name, group }, { api, lists, claim }) => {
    const groupId = group === undefined ? undefined : (await deviceGroups.find(group, lists)).id;
    const { id, attributes } = await api.devices.create({ name, ...(groupId !== undefined && { groupId }) });
    // Another run that looks for its own device after a lost response must not adopt this one.
    await claim(`device:${id}`);
    return {
      status: 'completed',
      output: { device_id: id, enrollment_url: attributes.enrollment_url ?? null },
    };
  },
  findEarlier: async ({ name }, { api, claim }) => {
    // A device record of this name that nothing has enrolled into and no other step claims is the one of the lost response.
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

/** API reference, Devices, Delete. */
export const deleteDevice = defineDeviceAction({
  causes: 'device.unenrolled',
  about: 'Unenrolls the device and deletes its record.',
  example: 'delete_device: {}',
  class: 'destructive',
  args: noArguments,
  repeatable: true,
  send: (_args, { id }, { api }) => acceptNotFound(api.devices.delete(id)),
});

/** API reference, Devices, Delete User. */
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
      await acceptNotFound(api.devices.deleteUser(id, userId));
      return { user_id: userId };
    }
    throw new StepError('step/unknown-reference', `there is no user "${user}" on the device`);
  },
});

/** A removal that finds nothing is a success: an earlier attempt may have removed the object. */
async function acceptNotFound(removal: Promise<number>): Promise<number> {
  try {
    return await removal;
  } catch (error) {
    if (error instanceof SimpleMdmError && error.notFound) return 404;
    throw error;
  }
}
