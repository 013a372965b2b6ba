import { z } from 'zod';
import type { Fleet } from '../fleet/fleet.js';
import { randomSerialNumber } from '../fleet/hardware.js';

export const newHardwareSchema = z.strictObject({
  serialNumber: z.string().min(1).optional(),
  model: z.string().min(1).optional(),
  depServerId: z.int().optional(),
});

export type NewHardware = z.input<typeof newHardwareSchema>;

/**
 * Adds hardware to Apple Business Manager: a DEP device, and a webhook without a device id, since SimpleMDM has no device yet.
 */
export function addToBusinessManager(fleet: Fleet, hardware: NewHardware): { serialNumber: string } {
  const {
    serialNumber = randomSerialNumber(),
    model = 'MacBook Air 13"',
    depServerId = 1,
  } = newHardwareSchema.parse(hardware);
  if (!fleet.depServers.has(depServerId)) throw new Error(`there is no DEP server ${depServerId}`);
  const id = fleet.nextId('depDevice');
  fleet.depDevices.set(id, {
    id,
    depServerId,
    serial_number: serialNumber,
    model,
    color: 'MIDNIGHT',
    checked_in_at: null,
  });
  fleet.webhooks.post('abm.device.added', { device: { serial_number: serialNumber, model } });
  return { serialNumber };
}
