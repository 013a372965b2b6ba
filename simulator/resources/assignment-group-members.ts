import { assignmentResponse, type ApiResponse } from '../api/response.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { AssignmentGroup, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { assignedApps, installLater } from '../scenarios/install-apps.js';
import { withRecord, type Records } from './retrieve.js';

/** The calls of the reference's section Assignment Groups that assign and unassign, and those of API 1.51. */
export function assignmentGroupMemberRoutes(fleet: Fleet): Route[] {
  return [
    ...appAssignments(fleet),
    ...pairs(fleet, 'device_groups', fleet.deviceGroups, ({ deviceGroupIds }) => deviceGroupIds),
    ...pairs(fleet, 'devices', fleet.devices, ({ deviceIds }) => deviceIds),
    ...pairs(fleet, 'profiles', fleet.profiles, ({ profileIds }) => profileIds),
  ];
}

/** The two calls that add an app to a group and remove it. An app that is added again is installed as sent last. */
function appAssignments(fleet: Fleet): Route[] {
  return memberRoutes(fleet, 'apps', fleet.apps, {
    add: ({ apps }, id, call) => {
      const isNew = !apps.has(id);
      const before = apps.get(id) ?? { deployment_type: 'standard', install_type: null };
      apps.set(id, {
        deployment_type: textParam(call.params, 'deployment_type') ?? before.deployment_type,
        install_type: textParam(call.params, 'install_type') ?? before.install_type,
      });
      return isNew;
    },
    remove: ({ apps }, id) => apps.delete(id),
  });
}

/** The two calls that add something to a group and remove it. */
function pairs(
  fleet: Fleet,
  name: string,
  records: Records<unknown>,
  idsOf: (group: AssignmentGroup) => Set<number>,
): Route[] {
  return memberRoutes(fleet, name, records, {
    add: (group, id) => !idsOf(group).has(id) && idsOf(group).add(id).has(id),
    remove: (group, id) => idsOf(group).delete(id),
  });
}

interface Membership {
  /** Adds a member; false when it was one before. */
  add: (group: AssignmentGroup, id: number, call: Call) => boolean;
  /** Removes a member; false when it was none. */
  remove: (group: AssignmentGroup, id: number) => boolean;
}

function memberRoutes(
  fleet: Fleet,
  name: string,
  records: Records<unknown>,
  { add, remove }: Membership,
): Route[] {
  const path = `/assignment_groups/:id/${name}/:memberId`;
  const change = (call: Call, act: (group: AssignmentGroup, id: number) => boolean): ApiResponse =>
    withRecord(call, fleet.assignmentGroups, (group) =>
      withRecord(
        call,
        records,
        () => {
          const changed = act(group, Number(call.path['memberId']));
          if (changed && group.auto_deploy && name === 'devices')
            deployTo(fleet, Number(call.path['memberId']));
          if (changed)
            writeAdminLog(fleet, `assignment_group.${name}_changed`, { assignment_group_id: group.id });
          return assignmentResponse(changed, fleet.conflicts);
        },
        'memberId',
      ),
    );
  return [
    { method: 'POST', path, handle: (call) => change(call, (group, id) => add(group, id, call)) },
    { method: 'DELETE', path, handle: (call) => change(call, remove) },
  ];
}

/** A device that joins a group with `auto_deploy` gets the apps of the group. */
function deployTo(fleet: Fleet, deviceId: number): void {
  const device = fleet.devices.get(deviceId);
  if (device !== undefined) installLater(fleet, deviceId, assignedApps(fleet, device));
}
