import { z } from 'zod';
import type { Fact } from './fact.js';

const inGroup = z.looseObject({ group_id: z.int().nullable() }).nullable();

/** The device group of the event's device: `id` and `name`. */
export const group: Fact = {
  shape: { fields: { id: 'number', name: 'string' } },
  about: '`group.id`, `group.name`: the device\'s group; `in_group("Laptops")` asks for it',
  cost: 2,
  fetch: async ({ fact, directory }) => {
    const id = inGroup.parse(await fact('device'))?.group_id;
    if (id === null || id === undefined) return null;
    const withId = (groups: readonly { id: number; attributes: { name: string } }[]) =>
      groups.find((found) => found.id === id);
    const found =
      withId(await directory.deviceGroups.get()) ?? withId(await directory.deviceGroups.refresh());
    return found === undefined ? null : { id, name: found.attributes.name };
  },
};
