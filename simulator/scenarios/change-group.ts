import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { webhookDevice } from './webhook-device.js';

/**
 * Moves a device to another group after a delay: the call has returned 202 already. A device that is in the group stays there and
 * causes no webhook.
 */
export function changeGroupLater(fleet: Fleet, deviceId: number, groupId: number): void {
  fleet.clock.after(fleet.delays.groupChangeMs, () => {
    const group = fleet.deviceGroups.get(groupId);
    if (group === undefined || fleet.devices.get(deviceId)?.groupId === groupId) return;
    const device = fleet.devices.edit(deviceId);
    if (device === undefined) return;
    device.groupId = groupId;
    if (device.attributes.status !== 'enrolled') return;
    writeDeviceLog(fleet, device, { event_type: 'device.changed_group', metadata: { group: group.name } });
    fleet.webhooks.post('device.changed_group', webhookDevice(device));
  });
}
