import { accepted } from '../api/answer.js';
import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { DeviceGroup, Fleet } from '../fleet/fleet.js';
import { changeGroupLater } from '../happenings/change-group.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Device Groups. */
export function deviceGroupRoutes(fleet: Fleet): Route[] {
  const { deviceGroups, devices } = fleet;
  return [
    {
      method: 'GET',
      path: '/device_groups',
      handle: (call) => page(call, deviceGroups.values(), deviceGroupRecord),
    },
    {
      method: 'GET',
      path: '/device_groups/:id',
      handle: (call) => retrieve(call, deviceGroups, deviceGroupRecord),
    },
    {
      method: 'POST',
      path: '/device_groups/:id/devices/:deviceId',
      handle: (call) =>
        withRecord(call, deviceGroups, (group) =>
          withRecord(
            call,
            devices,
            (device) => {
              changeGroupLater(fleet, device.id, group.id);
              return accepted();
            },
            'deviceId',
          ),
        ),
    },
  ];
}

function deviceGroupRecord({ id, name }: DeviceGroup) {
  return { type: 'device_group', id, attributes: { name } };
}
