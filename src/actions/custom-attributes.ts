import { z } from 'zod';
import { didYouMean } from '../config/nearest-name.js';
import type { CachedList } from '../simplemdm/directory.js';
import type { CustomAttribute } from '../simplemdm/custom-attributes.js';
import { StepError, defineAction } from './action.js';
import { defineDeviceAction } from './device-action.js';
import { reference, resolveReference } from './reference.js';

const name = z
  .string('expected the name of a custom attribute')
  .min(1, 'expected the name of a custom attribute');
/** An empty text is a value: it takes the group's or the account's away. */
const value = z
  .union([z.string(), z.number(), z.boolean()], 'expected a text, a number, or true or false')
  .transform(String);

async function mustExist(wanted: string, attributes: CachedList<CustomAttribute>): Promise<void> {
  const isThere = (list: readonly CustomAttribute[]) => list.some(({ id }) => id === wanted);
  if (isThere(await attributes.get()) || isThere(await attributes.refresh())) return;
  const names = (await attributes.get()).map(({ id }) => id);
  throw new StepError(
    'step/unknown-reference',
    `there is no custom attribute "${wanted}"${didYouMean(wanted, names)}; define it in SimpleMDM first`,
  );
}

/** API reference, Custom Attributes, Set value for device. */
export const setAttribute = defineDeviceAction({
  about: 'Sets a custom attribute of the device.',
  example: "set_attribute: { name: enrolled_by, value: '{{ event.at }}' }",
  args: z.strictObject({ name, value }),
  refersTo: { name: 'custom attribute' },
  outputs: { name: 'string', value: 'string' },
  repeatable: true,
  send: async ({ name: attribute, value: text }, { id }, { api, directory }) => {
    await mustExist(attribute, directory.customAttributes);
    await api.customAttributes.setValueForDevice(id, attribute, text);
    return { name: attribute, value: text };
  },
});

/** API reference, Custom Attributes, Set value for group. */
export const setGroupAttribute = defineAction({
  about: 'Sets a custom attribute of a device group.',
  example: 'set_group_attribute: { group: Laptops, name: department, value: Engineering }',
  args: z.strictObject({ group: reference, name, value }),
  refersTo: { group: 'device group', name: 'custom attribute' },
  outputs: { group_id: 'number', name: 'string', value: 'string' },
  facts: [],
  perform: async ({ group, name: attribute, value: text }, { api, directory }) => {
    await mustExist(attribute, directory.customAttributes);
    const { id } = await resolveReference(
      'device group',
      group,
      directory.deviceGroups,
      (item) => item.attributes.name,
    );
    await api.customAttributes.setValueForGroup(id, attribute, text);
    return { status: 'completed', output: { group_id: id, name: attribute, value: text } };
  },
});
