import { z } from 'zod';
import { changeAssignment, fetchRecord, linksTo, listOf } from './resource.js';
import type { Transport } from './transport.js';
import { textField } from './field-types.js';

const deviceGroup = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({ name: textField }),
  relationships: z.looseObject({ devices: linksTo }).nullish(),
});

/** A device group. */
export type DeviceGroup = z.output<typeof deviceGroup>;

const LIST = { route: '/device_groups' };

/** API reference, section Device Groups. */
export function createDeviceGroups(transport: Transport) {
  const routeTo = (groupId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/device_groups/{DEVICE_GROUP_ID}${rest}`,
    params: { DEVICE_GROUP_ID: groupId, ...params },
  });
  return {
    /** List all: `GET /device_groups`. */
    ...listOf(transport, deviceGroup, () => LIST),

    /** Retrieve one: `GET /device_groups/{DEVICE_GROUP_ID}`. */
    retrieve: (groupId: number): Promise<DeviceGroup> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(groupId) }, deviceGroup),

    /**
     * Assign device: `POST /device_groups/{DEVICE_GROUP_ID}/devices/{DEVICE_ID}`. Asynchronous.
     *
     * @returns The status: 202, 204 from older servers, 409 when the device is already in the group.
     */
    assignDevice: (groupId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, {
        method: 'POST',
        ...routeTo(groupId, '/devices/{DEVICE_ID}', { DEVICE_ID: deviceId }),
      }),

    /** Clone: `POST /device_groups/{DEVICE_GROUP_ID}/clone`: copies the configuration, not the devices. */
    clone: (groupId: number): Promise<DeviceGroup> =>
      fetchRecord(transport, { method: 'POST', ...routeTo(groupId, '/clone') }, deviceGroup),
  };
}
