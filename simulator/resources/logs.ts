import { z } from 'zod';
import { notFound, ok } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet, Log } from '../fleet/fleet.js';

/** The calls of the reference's section Logs. Ids are hexadecimal text. */
export function logRoutes(fleet: Fleet): Route[] {
  return [
    { method: 'GET', path: '/logs', handle: (call) => page(call, listed(fleet, call), logRecord) },
    {
      method: 'GET',
      path: '/logs/:id',
      handle: (call) => {
        const log = fleet.logs.get(call.path['id'] ?? '');
        return log === undefined ? notFound() : ok({ data: logRecord(log) });
      },
    },
  ];
}

const aboutDevice = z.object({ device: z.object({ data: z.object({ serial_number: z.string() }) }) });

function listed({ logs }: Fleet, call: Call): Log[] {
  const serialNumber = textParam(call.params, 'serial_number');
  if (serialNumber === undefined) return [...logs.values()];
  return [...logs.values()].filter(
    ({ relationships }) =>
      aboutDevice.safeParse(relationships).data?.device.data.serial_number === serialNumber,
  );
}

function logRecord({ id, namespace, event_type, level, source, at, metadata, relationships }: Log) {
  return {
    type: 'log',
    id,
    // Unlike in other records, relationships are part of the attributes.
    attributes: { namespace, event_type, level, source, at, metadata, relationships },
  };
}
