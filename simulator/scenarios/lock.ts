import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { webhookDevice } from './webhook-device.js';

/**
 * Locks a device.
 *
 * @returns false when there is no such device.
 */
export function lock(fleet: Fleet, deviceId: number): boolean {
  const device = fleet.devices.get(deviceId);
  if (device === undefined) return false;
  writeDeviceLog(fleet, device, { event_type: 'device.lock.enabled' });
  fleet.webhooks.post('device.lock.enabled', webhookDevice(device));
  return true;
}
