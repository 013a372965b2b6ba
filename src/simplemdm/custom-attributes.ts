import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll } from './resource.js';

const attributeValue = z.looseObject({
  type: z.string(),
  /** The attribute's name. */
  id: z.string(),
  /** The client hands out no value for an attribute marked `secret`. */
  attributes: z.looseObject({ value: z.string().nullish(), secret: z.boolean().nullish() }),
});

/** The value of a custom attribute on a device. */
export type CustomAttributeValue = z.output<typeof attributeValue>;

/** API reference, section Custom Attributes. */
export function createCustomAttributes(transport: Transport) {
  return {
    /** Get values for device: `GET /devices/{DEVICE_ID}/custom_attribute_values`. */
    listForDevice: (deviceId: number): AsyncGenerator<CustomAttributeValue> =>
      fetchAll(
        transport,
        { route: '/devices/{DEVICE_ID}/custom_attribute_values', params: { DEVICE_ID: deviceId } },
        attributeValue,
      ),
  };
}
