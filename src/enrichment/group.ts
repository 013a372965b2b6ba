import { z } from 'zod';
import type { Fact } from './fact.js';

const deviceWithGroup = z.looseObject({ group_id: z.int().nullable() }).nullable();

/** The device group of the event's device. */
export const group: Fact = {
  shape: { fields: { id: 'number', name: 'string' } },
  about: 'the group of the device: `group.id`, `group.name`, `in_group("Laptops")`',
  cost: 2,
  fetch: async ({ fact, lists }) => {
    const id = deviceWithGroup.parse(await fact('device'))?.group_id;
    if (id === null || id === undefined) return null;
    const withId = (groups: readonly { id: number; attributes: { name?: string | null | undefined } }[]) =>
      groups.find((found) => found.id === id);
    const found = withId(await lists.deviceGroups.get()) ?? withId(await lists.deviceGroups.refresh());
    // The device is in the group, whether or not its record can be read.
    return { id, name: found?.attributes.name ?? null };
  },
};
