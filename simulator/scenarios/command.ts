import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { timestamp } from '../timestamps.js';

/** Lets an enrolled device carry out a command after a delay: the call has returned 202 already. */
export function commandLater(fleet: Fleet, deviceId: number, act: (device: Device) => void): void {
  fleet.clock.after(fleet.delays.commandMs, () => {
    if (fleet.devices.get(deviceId)?.attributes.status !== 'enrolled') return;
    const device = fleet.devices.edit(deviceId);
    if (device === undefined) return;
    device.attributes.last_seen_at = timestamp(fleet.clock.now());
    act(device);
  });
}
