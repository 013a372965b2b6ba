import { listForDevice } from './event-device.js';
import type { Fact } from './fact.js';

/** The custom attributes of the event's device by name. Secret attributes are null. */
export const attributes: Fact = {
  shape: { mapOf: 'string' },
  about:
    'the custom attributes of the device by name: `attributes.department`, also written `device.attributes.department`. Secret attributes are null',
  cost: 2,
  fetch: async (context) => {
    const values = await listForDevice(
      context,
      (id) => context.api.customAttributes.getValuesForDevice(id),
      ({ id, attributes: { value } }): [string, string | null] => [id, value ?? null],
    );
    // An attribute whose name cannot be read is unknown like one without a value.
    return values === null ? null : Object.fromEntries(values.filter((entry) => entry !== null));
  },
};
