import { z } from 'zod';
import { fetchRecord, linkTo, listOf, nestedListOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { textField } from './field-types.js';

const depServer = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    server_name: textField,
    organization_name: textField,
    token_expires_at: textField,
    last_synced_at: textField,
  }),
});

/**
 * The attributes of a device in Apple Business Manager. The reference shows no example, so all are optional. Real accounts were
 * seen with `serial_number`, `model`, `color` and `checked_in_at`; the others are the names that Apple uses.
 */
export const depDeviceAttributes = z.looseObject({
  serial_number: textField,
  model: textField,
  description: textField,
  color: textField,
  checked_in_at: textField,
  asset_tag: textField,
  profile_status: textField,
  profile_assign_time: textField,
  device_assigned_date: textField,
  device_assigned_by: textField,
});

const depDevice = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: depDeviceAttributes,
  relationships: z.looseObject({ device: linkTo }).nullish(),
});

/** An Apple Business Manager server association. */
export type DepServer = z.output<typeof depServer>;
/** A device in Apple Business Manager. */
export type DepDevice = z.output<typeof depDevice>;

const LIST = { route: '/dep_servers' };

/** API reference, section DEP Servers. */
export function createDepServers(transport: Transport) {
  const routeTo = (depServerId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/dep_servers/{DEP_SERVER_ID}${rest}`,
    params: { DEP_SERVER_ID: depServerId, ...params },
  });
  const depDevices = nestedListOf(transport, depDevice, (depServerId) =>
    routeTo(depServerId, '/dep_devices'),
  );
  return {
    /** List all: `GET /dep_servers`. */
    ...listOf(transport, depServer, () => LIST),

    /** Retrieve one: `GET /dep_servers/{DEP_SERVER_ID}`. */
    retrieve: (depServerId: number): Promise<DepServer> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(depServerId) }, depServer),

    /** Sync with Apple: `POST /dep_servers/{DEP_SERVER_ID}/sync`. SimpleMDM also syncs on its own every few hours. */
    sync: (depServerId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(depServerId, '/sync'), idempotent: true }),

    /** List DEP devices: `GET /dep_servers/{DEP_SERVER_ID}/dep_devices`. Some of them are not in SimpleMDM. */
    listDepDevices: depDevices.list,

    /** One page of {@link listDepDevices}. */
    listDepDevicesPage: depDevices.listPage,

    /** Retrieve one DEP device: `GET /dep_servers/{DEP_SERVER_ID}/dep_devices/{DEP_DEVICE_ID}`. */
    retrieveDepDevice: (depServerId: number, depDeviceId: number): Promise<DepDevice> =>
      fetchRecord(
        transport,
        {
          method: 'GET',
          ...routeTo(depServerId, '/dep_devices/{DEP_DEVICE_ID}', { DEP_DEVICE_ID: depDeviceId }),
        },
        depDevice,
      ),
  };
}
