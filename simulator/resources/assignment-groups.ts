import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { AssignmentGroup, Fleet } from '../fleet/fleet.js';
import { retrieve } from './retrieve.js';

/** The calls of the reference's section Assignment Groups. */
export function assignmentGroupRoutes(fleet: Fleet): Route[] {
  const groups = fleet.assignmentGroups;
  return [
    {
      method: 'GET',
      path: '/assignment_groups',
      handle: (call) => page(call, groups.values(), assignmentGroupRecord),
    },
    {
      method: 'GET',
      path: '/assignment_groups/:id',
      handle: (call) => retrieve(call, groups, assignmentGroupRecord),
    },
  ];
}

function assignmentGroupRecord(group: AssignmentGroup) {
  const references = (type: string, ids: readonly number[]) => ({ data: ids.map((id) => ({ type, id })) });
  return {
    type: 'assignment_group',
    id: group.id,
    attributes: { name: group.name, auto_deploy: group.auto_deploy },
    relationships: {
      apps: references('app', group.appIds),
      device_groups: references('device_group', group.deviceGroupIds),
      devices: references('device', group.deviceIds),
    },
  };
}
