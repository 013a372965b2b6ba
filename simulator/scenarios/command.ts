import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { timestamp } from '../timestamps.js';

/** Lets an enrolled device carry out something when it is online, a while later: the call is answered 202 before. */
export function commandLater(fleet: Fleet, deviceId: number, act: (device: Device) => void): void {
  fleet.clock.after(fleet.delays.commandMs, () => {
    if (fleet.devices.get(deviceId)?.attributes.status !== 'enrolled') return;
    const device = fleet.devices.edit(deviceId);
    if (device === undefined) return;
    device.attributes.last_seen_at = timestamp(fleet.clock.now());
    act(device);
  });
}
