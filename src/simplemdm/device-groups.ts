import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll, fetchParsed, single } from './resource.js';

const deviceGroup = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({ name: z.string() }),
});

/** A device group. */
export type DeviceGroup = z.output<typeof deviceGroup>;

/** API reference, section Device Groups. */
export function createDeviceGroups(transport: Transport) {
  return {
    /** List all: `GET /device_groups`. */
    list: (): AsyncGenerator<DeviceGroup> => fetchAll(transport, { route: '/device_groups' }, deviceGroup),

    /** Retrieve one: `GET /device_groups/{DEVICE_GROUP_ID}`. */
    retrieve: async (groupId: number): Promise<DeviceGroup> =>
      (
        await fetchParsed(
          transport,
          { method: 'GET', route: '/device_groups/{DEVICE_GROUP_ID}', params: { DEVICE_GROUP_ID: groupId } },
          single(deviceGroup),
        )
      ).data,

    /**
     * Assign device: `POST /device_groups/{DEVICE_GROUP_ID}/devices/{DEVICE_ID}`. Asynchronous: 202 means that it was taken on.
     *
     * @returns The status: 202, or 204 from older servers.
     */
    assignDevice: async (groupId: number, deviceId: number): Promise<number> =>
      (
        await transport({
          method: 'POST',
          route: '/device_groups/{DEVICE_GROUP_ID}/devices/{DEVICE_ID}',
          params: { DEVICE_GROUP_ID: groupId, DEVICE_ID: deviceId },
        })
      ).status,
  };
}
