import {
  accepted,
  created,
  noContent,
  tooManyRequests,
  unprocessable,
  type ApiResponse,
} from '../api/response.js';
import { page } from '../api/paging.js';
import { flagParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { AssignmentGroup, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { isMember } from '../fleet/is-member.js';
import { installLater } from '../scenarios/install-apps.js';
import { assignmentGroupMemberRoutes } from './assignment-group-members.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Assignment Groups, and those of API 1.51. */
export function assignmentGroupRoutes(fleet: Fleet): Route[] {
  const groups = fleet.assignmentGroups;
  const command = (name: string, act: (group: AssignmentGroup) => ApiResponse): Route => ({
    method: 'POST',
    path: `/assignment_groups/:id/${name}`,
    handle: (call) => withRecord(call, groups, act),
  });
  return [
    {
      method: 'GET',
      path: '/assignment_groups',
      handle: (call) => page(call, groups.values(), assignmentGroupRecord),
    },
    { method: 'POST', path: '/assignment_groups', handle: (call) => createGroup(fleet, call) },
    {
      method: 'GET',
      path: '/assignment_groups/:id',
      handle: (call) => retrieve(call, groups, assignmentGroupRecord),
    },
    {
      method: 'PATCH',
      path: '/assignment_groups/:id',
      handle: (call) => withRecord(call, groups, (group) => updateGroup(fleet, call, group)),
    },
    {
      method: 'DELETE',
      path: '/assignment_groups/:id',
      handle: (call) =>
        withRecord(call, groups, ({ id }) => {
          groups.delete(id);
          writeAdminLog(fleet, 'assignment_group.deleted', { assignment_group_id: id });
          return noContent();
        }),
    },
    ...assignmentGroupMemberRoutes(fleet),
    command('push_apps', (group) => {
      for (const device of fleet.devices.values()) {
        if (isMember(group, device)) installLater(fleet, device.id, missing(fleet, group, device));
      }
      writeAdminLog(fleet, 'assignment_group.apps_pushed', { assignment_group_id: group.id });
      return accepted();
    }),
    command('update_apps', (group) => {
      for (const device of fleet.devices.values()) {
        if (isMember(group, device)) installLater(fleet, device.id, present(fleet, group, device));
      }
      writeAdminLog(fleet, 'assignment_group.apps_updated', { assignment_group_id: group.id });
      return accepted();
    }),
    command('sync_profiles', (group) => {
      const now = fleet.clock.now().getTime();
      const key = `sync_profiles ${group.id}`;
      const next = (fleet.lastRequestedAt.get(key) ?? -Infinity) + 30_000;
      if (now < next) return tooManyRequests(next);
      fleet.lastRequestedAt.set(key, now);
      writeAdminLog(fleet, 'assignment_group.profiles_synced', { assignment_group_id: group.id });
      return noContent();
    }),
    command('clone', (group) => {
      const id = fleet.nextId('assignmentGroup');
      groups.set(id, {
        ...group,
        id,
        name: `${group.name} (1)`,
        priority: groups.size + 1,
        apps: new Map(group.apps),
        deviceGroupIds: new Set(),
        deviceIds: new Set(group.deviceIds),
        profileIds: new Set(group.profileIds),
        customValues: new Map(group.customValues),
      });
      return noContent();
    }),
  ];
}

type Member = NonNullable<ReturnType<Fleet['devices']['get']>>;

function present({ apps }: Fleet, group: AssignmentGroup, device: Member): number[] {
  const installed = new Set(device.apps.map(({ identifier }) => identifier));
  return [...group.apps.keys()].filter((id) =>
    installed.has(apps.get(id)?.bundle_identifier ?? `com.example.app${id}`),
  );
}

function missing(fleet: Fleet, group: AssignmentGroup, device: Member): number[] {
  const there = new Set(present(fleet, group, device));
  return [...group.apps.keys()].filter((id) => !there.has(id));
}

const types = ['standard', 'munki'] as const;

function createGroup(fleet: Fleet, call: Call): ApiResponse {
  const name = textParam(call.params, 'name');
  if (name === undefined) return unprocessable('name is required');
  const typeText = textParam(call.params, 'type') ?? 'standard';
  const type = types.find((known) => known === typeText);
  if (type === undefined) return unprocessable('type must be standard or munki');
  const group: AssignmentGroup = {
    id: fleet.nextId('assignmentGroup'),
    name,
    auto_deploy: flagParam(call.params, 'auto_deploy') ?? true,
    priority: numberParam(call, 'priority') ?? fleet.assignmentGroups.size + 1,
    type,
    group_type: 'static',
    install_type: textParam(call.params, 'install_type') ?? (type === 'munki' ? 'managed' : null),
    app_track_location: flagParam(call.params, 'app_track_location') ?? true,
    apps: new Map(),
    deviceGroupIds: new Set(),
    deviceIds: new Set(),
    profileIds: new Set(),
    customValues: new Map(),
  };
  fleet.assignmentGroups.set(group.id, group);
  writeAdminLog(fleet, 'assignment_group.created', { assignment_group_id: group.id });
  return created({ data: assignmentGroupRecord(group) });
}

function updateGroup(fleet: Fleet, call: Call, group: AssignmentGroup): ApiResponse {
  group.name = textParam(call.params, 'name') ?? group.name;
  group.auto_deploy = flagParam(call.params, 'auto_deploy') ?? group.auto_deploy;
  group.priority = numberParam(call, 'priority') ?? group.priority;
  group.install_type = textParam(call.params, 'install_type') ?? group.install_type;
  group.app_track_location = flagParam(call.params, 'app_track_location') ?? group.app_track_location;
  writeAdminLog(fleet, 'assignment_group.updated', { assignment_group_id: group.id });
  return noContent();
}

function numberParam(call: Call, name: string): number | undefined {
  const text = textParam(call.params, name);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function assignmentGroupRecord(group: AssignmentGroup) {
  const references = (type: string, ids: ReadonlySet<number>) => ({
    data: [...ids].map((id) => ({ type, id })),
  });
  return {
    type: 'assignment_group',
    id: group.id,
    attributes: {
      name: group.name,
      auto_deploy: group.auto_deploy,
      priority: group.priority,
      app_track_location: group.app_track_location,
      type: group.type,
      group_type: group.group_type,
      install_type: group.install_type,
    },
    relationships: {
      apps: { data: [...group.apps].map(([id, assignment]) => ({ type: 'app', id, ...assignment })) },
      device_groups: references('device_group', group.deviceGroupIds),
      devices: references('device', group.deviceIds),
      profiles: references('profile', group.profileIds),
      media: { data: [] },
    },
  };
}
