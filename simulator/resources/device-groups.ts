import { accepted, assignmentResponse, created, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { DeviceGroup, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { changeGroupLater } from '../scenarios/change-group.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Device Groups. */
export function deviceGroupRoutes(fleet: Fleet): Route[] {
  const { deviceGroups, devices } = fleet;
  const show = (group: DeviceGroup) => deviceGroupRecord(fleet, group);
  return [
    {
      method: 'GET',
      path: '/device_groups',
      handle: (call) => page(call, deviceGroups.values(), show),
    },
    {
      method: 'GET',
      path: '/device_groups/:id',
      handle: (call) => retrieve(call, deviceGroups, show),
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
              if (device.groupId === group.id && fleet.conflicts) return assignmentResponse(false, true);
              changeGroupLater(fleet, device.id, group.id);
              return accepted();
            },
            'deviceId',
          ),
        ),
    },
    {
      method: 'POST',
      path: '/device_groups/:id/clone',
      handle: (call) => withRecord(call, deviceGroups, (group) => cloneGroup(fleet, group)),
    },
  ];
}

/** Creates a copy with the same configuration and no devices. */
function cloneGroup(fleet: Fleet, group: DeviceGroup): ApiResponse {
  const copy = {
    id: fleet.nextId('deviceGroup'),
    name: `${group.name} (1)`,
    customValues: new Map(group.customValues),
  };
  fleet.deviceGroups.set(copy.id, copy);
  for (const { deviceGroupIds } of [...fleet.profiles.values(), ...fleet.assignmentGroups.values()]) {
    if (deviceGroupIds.has(group.id)) deviceGroupIds.add(copy.id);
  }
  writeAdminLog(fleet, 'device_group.cloned', { device_group_id: group.id });
  return created({ data: deviceGroupRecord(fleet, copy) });
}

function deviceGroupRecord({ devices }: Fleet, { id, name }: DeviceGroup) {
  const members = devices.inGroup(id).map((deviceId) => ({ type: 'device', id: deviceId }));
  return {
    type: 'device_group',
    id,
    attributes: { name },
    relationships: { devices: { data: members } },
  };
}
