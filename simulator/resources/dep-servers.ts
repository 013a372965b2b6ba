import { accepted, ok } from '../api/response.js';
import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { DepDevice, DepServer, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { timestamp } from '../timestamps.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section DEP Servers. */
export function depServerRoutes(fleet: Fleet): Route[] {
  const { depServers, depDevices } = fleet;
  const devicesOf = (server: DepServer) =>
    new Map([...depDevices].filter(([, { depServerId }]) => depServerId === server.id));
  const show = (device: DepDevice) => depDeviceRecord(fleet, device);

  return [
    {
      method: 'GET',
      path: '/dep_servers',
      handle: (call) => page(call, depServers.values(), depServerRecord),
    },
    {
      method: 'GET',
      path: '/dep_servers/:id',
      handle: (call) => retrieve(call, depServers, depServerRecord),
    },
    {
      method: 'POST',
      path: '/dep_servers/:id/sync',
      handle: (call) =>
        withRecord(call, depServers, (server) => {
          fleet.clock.after(fleet.delays.commandMs, () => {
            server.last_synced_at = timestamp(fleet.clock.now());
            writeAdminLog(fleet, 'dep_server.synced', { dep_server_id: server.id });
          });
          return accepted();
        }),
    },
    {
      method: 'GET',
      path: '/dep_servers/:id/dep_devices',
      handle: (call) =>
        withRecord(call, depServers, (server) => page(call, devicesOf(server).values(), show)),
    },
    {
      method: 'GET',
      path: '/dep_servers/:id/dep_devices/:depDeviceId',
      handle: (call) =>
        withRecord(call, depServers, (server) =>
          withRecord(call, devicesOf(server), (device) => ok({ data: show(device) }), 'depDeviceId'),
        ),
    },
  ];
}

function depServerRecord({ id, ...attributes }: DepServer) {
  return { type: 'dep_server', id, attributes };
}

/** A DEP device. The reference has no example: these are the attributes of real accounts, and the enrolled device if there is one. */
function depDeviceRecord(fleet: Fleet, dep: DepDevice) {
  const { id, serial_number, model, color, checked_in_at } = dep;
  const device = fleet.devices.bySerialNumber(serial_number);
  return {
    type: 'dep_device',
    id,
    attributes: { serial_number, model, color, checked_in_at },
    relationships: {
      device: { data: device === undefined ? null : { type: 'device', id: device.id } },
    },
  };
}
