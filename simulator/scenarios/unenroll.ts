import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { webhookDevice } from './webhook-device.js';

/**
 * Unenrolls a device and removes it from the account.
 *
 * @returns false when there is no such device.
 */
export function unenroll(fleet: Fleet, deviceId: number, options: { webhook?: boolean } = {}): boolean {
  const device = fleet.devices.get(deviceId);
  if (device === undefined) return false;
  fleet.devices.delete(deviceId);
  for (const { deviceIds } of fleet.assignmentGroups.values()) deviceIds.delete(deviceId);
  for (const { deviceIds } of fleet.profiles.values()) deviceIds.delete(deviceId);
  // A device that awaits its enrollment causes no webhook.
  if (device.attributes.status !== 'enrolled') return true;
  writeDeviceLog(fleet, device, { event_type: 'device.unenrolled' });
  if (options.webhook ?? true) fleet.webhooks.post('device.unenrolled', webhookDevice(device));
  return true;
}
