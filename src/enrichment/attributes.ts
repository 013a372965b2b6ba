import { forDevice } from './event-device.js';
import type { Fact } from './fact.js';

/** The custom attributes of the event's device by name; those marked secret are null. */
export const attributes: Fact = {
  shape: { mapOf: 'string' },
  about:
    'custom attributes by name: `attributes.department`, also `device.attributes.department`; secret ones are null',
  cost: 2,
  fetch: async (context) => {
    const values = await forDevice(
      context,
      (id) => context.api.customAttributes.getValuesForDevice(id),
      ({ id, attributes: { value } }): [string, string | null] => [id, value ?? null],
    );
    return values === null ? null : Object.fromEntries(values);
  },
};
