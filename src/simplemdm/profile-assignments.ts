import { assign } from './resource.js';
import type { Transport } from './transport.js';

/** The four calls that put a profile on devices and take it off, alike for custom configuration profiles and all others. */
export function profileAssignments(transport: Transport, list: string) {
  const toGroup = (profileId: number, deviceGroupId: number) => ({
    route: `${list}/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`,
    params: { PROFILE_ID: profileId, DEVICE_GROUP_ID: deviceGroupId },
  });
  const toDevice = (profileId: number, deviceId: number) => ({
    route: `${list}/{PROFILE_ID}/devices/{DEVICE_ID}`,
    params: { PROFILE_ID: profileId, DEVICE_ID: deviceId },
  });
  return {
    /** Assign to device group: `POST …/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`. Pushes it to all devices of the group. */
    assignToDeviceGroup: (profileId: number, deviceGroupId: number): Promise<number> =>
      assign(transport, { method: 'POST', ...toGroup(profileId, deviceGroupId) }),

    /** Unassign from device group: `DELETE …/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`. Removes it from all devices of the group. */
    unassignFromDeviceGroup: (profileId: number, deviceGroupId: number): Promise<number> =>
      assign(transport, { method: 'DELETE', ...toGroup(profileId, deviceGroupId) }),

    /** Assign to device: `POST …/{PROFILE_ID}/devices/{DEVICE_ID}`. */
    assignToDevice: (profileId: number, deviceId: number): Promise<number> =>
      assign(transport, { method: 'POST', ...toDevice(profileId, deviceId) }),

    /** Unassign from device: `DELETE …/{PROFILE_ID}/devices/{DEVICE_ID}`. */
    unassignFromDevice: (profileId: number, deviceId: number): Promise<number> =>
      assign(transport, { method: 'DELETE', ...toDevice(profileId, deviceId) }),
  };
}
