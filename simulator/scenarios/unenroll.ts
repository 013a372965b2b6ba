import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { webhookDevice } from './webhook-device.js';

/** A device leaves and is removed from the account. False where there is no such device. */
export function unenroll(fleet: Fleet, deviceId: number, options: { webhook?: boolean } = {}): boolean {
  const device = fleet.devices.get(deviceId);
  if (device === undefined) return false;
  fleet.devices.delete(deviceId);
  // A device that only waited for its enrollment has nothing to leave.
  if (device.attributes.status !== 'enrolled') return true;
  writeDeviceLog(fleet, device, { event_type: 'device.unenrolled' });
  if (options.webhook ?? true) fleet.webhooks.post('device.unenrolled', webhookDevice(device));
  return true;
}
