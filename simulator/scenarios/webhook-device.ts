import type { Device } from '../fleet/device.js';

/** What a webhook says of a device: deliberately little (reference: Webhooks). */
export function webhookDevice({ id, attributes }: Device): Readonly<Record<string, unknown>> {
  return {
    device: { id, udid: attributes.unique_identifier, serial_number: attributes.serial_number },
  };
}
