import { z } from 'zod';
import { didYouMean } from '../errors/did-you-mean.js';
import type { CachedList } from '../simplemdm/cached-lists.js';
import type { CustomAttribute } from '../simplemdm/custom-attributes.js';
import { StepError, defineAction } from './action.js';
import { defineDeviceAction } from './device-action.js';
import { deviceGroups } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

const name = z
  .string('expected the name of a custom attribute')
  .min(1, 'expected the name of a custom attribute');
/** An empty text is a value: it overrides the value of the group or account. */
const value = z.string('expected a text');

/** The name of an attribute as the account spells it. SimpleMDM compares names without case. */
async function findAttribute(wanted: string, attributes: CachedList<CustomAttribute>): Promise<string> {
  const findIn = (list: readonly CustomAttribute[]) =>
    list.find(({ id }) => id.toLowerCase() === wanted.toLowerCase());
  const found = findIn(await attributes.get()) ?? findIn(await attributes.refresh());
  if (found !== undefined) return found.id;
  const names = (await attributes.get()).map(({ id }) => id);
  throw new StepError(
    'step/unknown-reference',
    `there is no custom attribute "${wanted}"${didYouMean(wanted, names)}; create it in SimpleMDM first`,
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
  send: async (args, { id }, { api, lists }) => {
    const attribute = await findAttribute(args.name, lists.customAttributes);
    await api.customAttributes.setValueForDevice(id, attribute, args.value);
    return { name: attribute, value: args.value };
  },
});

/** API reference, Custom Attributes, Set value for group. */
export const setGroupAttribute = defineAction({
  about: 'Sets a custom attribute of a device group.',
  example: 'set_group_attribute: { group: Laptops, name: department, value: Engineering }',
  args: z.strictObject({ group: reference, name, value }),
  refersTo: { group: deviceGroups.kind, name: 'custom attribute' },
  outputs: { group_id: 'number', name: 'string', value: 'string' },
  facts: [],
  perform: async ({ group, name: wanted, value: given }, { api, lists }) => {
    const attribute = await findAttribute(wanted, lists.customAttributes);
    const { id } = await deviceGroups.find(group, lists);
    await api.customAttributes.setValueForGroup(id, attribute, given);
    return { status: 'completed', output: { group_id: id, name: attribute, value: given } };
  },
});
