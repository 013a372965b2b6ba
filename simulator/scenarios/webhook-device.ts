import type { Device } from '../fleet/device.js';

/** The device in a webhook: only its identifiers (reference: Webhooks). */
export function webhookDevice({ id, attributes }: Device): Readonly<Record<string, unknown>> {
  return {
    device: { id, udid: attributes.unique_identifier, serial_number: attributes.serial_number },
  };
}
