import { z } from 'zod';
import { fetchAll, fetchPage, fetchRecord, linkTo, send } from './resource.js';
import type { Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { text } from './field-types.js';

const depServer = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    server_name: text,
    organization_name: text,
    token_expires_at: text,
    last_synced_at: text,
  }),
});

/** The attributes of a device as Apple Business Manager lists it; the reference shows no example, so all may be missing. */
export const depDeviceAttributes = z.looseObject({
  serial_number: text,
  model: text,
  description: text,
  color: text,
  asset_tag: text,
  profile_status: text,
  profile_assign_time: text,
  device_assigned_date: text,
  device_assigned_by: text,
});

const depDevice = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: depDeviceAttributes,
  relationships: z.looseObject({ device: linkTo }).nullish(),
});

/** An Apple Business Manager server association. */
export type DepServer = z.output<typeof depServer>;
/** A device record of Apple Business Manager. */
export type DepDevice = z.output<typeof depDevice>;

const LIST = { route: '/dep_servers' };

/** API reference, section DEP Servers. */
export function createDepServers(transport: Transport) {
  const below = (depServerId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/dep_servers/{DEP_SERVER_ID}${rest}`,
    params: { DEP_SERVER_ID: depServerId, ...params },
  });
  return {
    /** List all: `GET /dep_servers`. */
    list: (): AsyncGenerator<DepServer> => fetchAll(transport, LIST, depServer),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions): Promise<Page<DepServer>> => fetchPage(transport, LIST, depServer, page),

    /** Retrieve one: `GET /dep_servers/{DEP_SERVER_ID}`. */
    retrieve: (depServerId: number): Promise<DepServer> =>
      fetchRecord(transport, { method: 'GET', ...below(depServerId) }, depServer),

    /** Sync with Apple: `POST /dep_servers/{DEP_SERVER_ID}/sync`. It happens every few hours anyway. */
    sync: (depServerId: number): Promise<number> =>
      send(transport, { method: 'POST', ...below(depServerId, '/sync'), idempotent: true }),

    /** List DEP devices: `GET /dep_servers/{DEP_SERVER_ID}/dep_devices`. Not all of them are devices in SimpleMDM. */
    listDepDevices: (depServerId: number): AsyncGenerator<DepDevice> =>
      fetchAll(transport, below(depServerId, '/dep_devices'), depDevice),

    /** One page of {@link listDepDevices}. */
    listDepDevicesPage: (depServerId: number, page?: PageOptions): Promise<Page<DepDevice>> =>
      fetchPage(transport, below(depServerId, '/dep_devices'), depDevice, page),

    /** Retrieve one DEP device: `GET /dep_servers/{DEP_SERVER_ID}/dep_devices/{DEP_DEVICE_ID}`. */
    retrieveDepDevice: (depServerId: number, depDeviceId: number): Promise<DepDevice> =>
      fetchRecord(
        transport,
        {
          method: 'GET',
          ...below(depServerId, '/dep_devices/{DEP_DEVICE_ID}', { DEP_DEVICE_ID: depDeviceId }),
        },
        depDevice,
      ),
  };
}
