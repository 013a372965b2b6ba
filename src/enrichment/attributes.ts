import { listForDevice } from './event-device.js';
import type { Fact } from './fact.js';

/**
 * Values of custom attributes as conditions and templates have them. SimpleMDM writes "no value" as an empty text (API reference, Custom
 * Attributes, Get values for device), whoever set it; here no value is null.
 */
export function attributeValues(values: unknown): unknown {
  if (typeof values !== 'object' || values === null) return values;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]: [string, unknown]) => [name, value === '' ? null : value]),
  );
}

/**
 * The custom attributes of the event's device by name: the value of the device, else that of its group, else the default of the account.
 * An attribute without a value is null, and so is a secret one.
 */
export const attributes: Fact = {
  shape: { mapOf: 'string' },
  about:
    'the custom attributes of the device by name: `attributes.department`, also written `device.attributes.department`. Attributes without a value and secret attributes are null',
  cost: 2,
  fetch: async (context) => {
    const values = await listForDevice(
      context,
      (id) => context.api.customAttributes.getValuesForDevice(id),
      ({ id, attributes: { value } }): [string, string | null] => [id, value ?? null],
    );
    // An attribute whose name cannot be read is unknown like one without a value.
    return attributeValues(
      values === null ? null : Object.fromEntries(values.filter((entry) => entry !== null)),
    );
  },
};
