import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll } from './resource.js';

const depServer = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    server_name: z.string().nullish(),
    organization_name: z.string().nullish(),
    token_expires_at: z.string().nullish(),
    last_synced_at: z.string().nullish(),
  }),
});

/** The attributes of a device as Apple Business Manager lists it; the reference shows no example, so all may be missing. */
export const depDeviceAttributes = z.looseObject({
  serial_number: z.string().nullish(),
  model: z.string().nullish(),
  description: z.string().nullish(),
  color: z.string().nullish(),
  asset_tag: z.string().nullish(),
  profile_status: z.string().nullish(),
  profile_assign_time: z.string().nullish(),
  device_assigned_date: z.string().nullish(),
  device_assigned_by: z.string().nullish(),
});

const depDevice = z.looseObject({ type: z.string(), id: z.int(), attributes: depDeviceAttributes });

/** An Apple Business Manager server association. */
export type DepServer = z.output<typeof depServer>;
/** A device record of Apple Business Manager. */
export type DepDevice = z.output<typeof depDevice>;

/** API reference, section DEP Servers. */
export function createDepServers(transport: Transport) {
  return {
    /** List all: `GET /dep_servers`. */
    list: (): AsyncGenerator<DepServer> => fetchAll(transport, { route: '/dep_servers' }, depServer),

    /** List DEP devices: `GET /dep_servers/{DEP_SERVER_ID}/dep_devices`. */
    listDevices: (depServerId: number): AsyncGenerator<DepDevice> =>
      fetchAll(
        transport,
        { route: '/dep_servers/{DEP_SERVER_ID}/dep_devices', params: { DEP_SERVER_ID: depServerId } },
        depDevice,
      ),
  };
}
