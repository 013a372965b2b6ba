import { z } from 'zod';
import { assign, fetchAll, fetchPage, fetchRecord, linksTo } from './resource.js';
import type { Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';

const deviceGroup = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({ name: z.string() }),
  relationships: z.looseObject({ devices: linksTo }).nullish(),
});

/** A device group. */
export type DeviceGroup = z.output<typeof deviceGroup>;

const LIST = { route: '/device_groups' };

/** API reference, section Device Groups. */
export function createDeviceGroups(transport: Transport) {
  const below = (groupId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/device_groups/{DEVICE_GROUP_ID}${rest}`,
    params: { DEVICE_GROUP_ID: groupId, ...params },
  });
  return {
    /** List all: `GET /device_groups`. */
    list: (): AsyncGenerator<DeviceGroup> => fetchAll(transport, LIST, deviceGroup),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions): Promise<Page<DeviceGroup>> =>
      fetchPage(transport, LIST, deviceGroup, page),

    /** Retrieve one: `GET /device_groups/{DEVICE_GROUP_ID}`. */
    retrieve: (groupId: number): Promise<DeviceGroup> =>
      fetchRecord(transport, { method: 'GET', ...below(groupId) }, deviceGroup),

    /**
     * Assign device: `POST /device_groups/{DEVICE_GROUP_ID}/devices/{DEVICE_ID}`. Asynchronous: 202 means that it was taken on.
     *
     * @returns The status: 202, 204 from older servers, 409 when the device is in the group already.
     */
    assignDevice: (groupId: number, deviceId: number): Promise<number> =>
      assign(transport, {
        method: 'POST',
        ...below(groupId, '/devices/{DEVICE_ID}', { DEVICE_ID: deviceId }),
      }),

    /** Clone: `POST /device_groups/{DEVICE_GROUP_ID}/clone`: the same configuration, no devices. */
    clone: (groupId: number): Promise<DeviceGroup> =>
      fetchRecord(transport, { method: 'POST', ...below(groupId, '/clone') }, deviceGroup),
  };
}
