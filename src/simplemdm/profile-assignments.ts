import { z } from 'zod';
import { textField } from './field-types.js';
import { changeAssignment, linksTo } from './resource.js';
import type { Transport } from './transport.js';

/**
 * The relationships of a profile: the device groups and, in `groups`, the assignment groups that have it, each with `group_type`
 * (`static`, `dynamic`).
 */
export const profileRelationships = z
  .looseObject({
    device_groups: z
      .looseObject({
        data: z.array(z.looseObject({ type: textField, id: z.int() })).nullish(),
        groups: linksTo,
      })
      .nullish(),
    devices: linksTo,
  })
  .nullish();

/** The four calls that assign a profile to devices and remove it; the same for all kinds of profiles. */
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
    /** Assign to device group: `POST …/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`. Installs the profile on all devices of the group. */
    assignToDeviceGroup: (profileId: number, deviceGroupId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...toGroup(profileId, deviceGroupId) }),

    /** Unassign from device group: `DELETE …/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`. Removes the profile from all devices of the group. */
    unassignFromDeviceGroup: (profileId: number, deviceGroupId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...toGroup(profileId, deviceGroupId) }),

    /** Assign to device: `POST …/{PROFILE_ID}/devices/{DEVICE_ID}`. */
    assignToDevice: (profileId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...toDevice(profileId, deviceId) }),

    /** Unassign from device: `DELETE …/{PROFILE_ID}/devices/{DEVICE_ID}`. */
    unassignFromDevice: (profileId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...toDevice(profileId, deviceId) }),
  };
}
