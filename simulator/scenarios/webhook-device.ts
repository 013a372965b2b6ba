import type { Device } from '../fleet/device.js';

/** The device in a webhook: only its identifiers (reference: Webhooks). */
export function webhookDevice({
  id,
  attributes: { unique_identifier: udid, serial_number },
  webhookIdentifiers = { udid, serial_number },
}: Device): Readonly<Record<string, unknown>> {
  return { device: { id, ...webhookIdentifiers } };
}
