import { z } from 'zod';
import { deviceOf } from '../events/webhook-types.js';
import { depDeviceAttributes } from '../simplemdm/dep-servers.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './shape-of.js';

const withSerialNumber = z.looseObject({ serial_number: z.string().nullish() }).nullable();

/** The event's device as Apple Business Manager lists it, found by serial number among the devices of each DEP server. */
export const depDevice: Fact = {
  shape: {
    fields: {
      id: 'number',
      dep_server_id: 'number',
      dep_server_name: 'string',
      ...fieldsOf(depDeviceAttributes),
    },
  },
  cost: 30,
  fetch: async ({ event, api, fact }) => {
    const serialNumber =
      deviceOf(event)?.serialNumber ?? withSerialNumber.parse(await fact('device'))?.serial_number;
    if (serialNumber === null || serialNumber === undefined) return null;
    for await (const server of api.depServers.list()) {
      for await (const { id, attributes } of api.depServers.listDevices(server.id)) {
        if (attributes.serial_number !== serialNumber) continue;
        return {
          ...attributes,
          id,
          dep_server_id: server.id,
          dep_server_name: server.attributes.server_name ?? null,
        };
      }
    }
    return null;
  },
};
