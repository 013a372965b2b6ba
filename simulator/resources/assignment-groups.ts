import {
  accepted,
  assignmentResponse,
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
import { assignedApps, installLater } from '../scenarios/install-apps.js';
import { retrieve, withRecord, type Records } from './retrieve.js';

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
    ...pairs(fleet, 'apps', fleet.apps, ({ appIds }) => appIds),
    ...pairs(fleet, 'device_groups', fleet.deviceGroups, ({ deviceGroupIds }) => deviceGroupIds),
    ...pairs(fleet, 'devices', fleet.devices, ({ deviceIds }) => deviceIds),
    ...pairs(fleet, 'profiles', fleet.profiles, ({ profileIds }) => profileIds),
    command('push_apps', (group) => {
      for (const device of fleet.devices.values()) {
        if (isIn(group, device)) installLater(fleet, device.id, missing(fleet, group, device));
      }
      writeAdminLog(fleet, 'assignment_group.apps_pushed', { assignment_group_id: group.id });
      return accepted();
    }),
    command('update_apps', (group) => {
      for (const device of fleet.devices.values()) {
        if (isIn(group, device)) installLater(fleet, device.id, present(fleet, group, device));
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
      return accepted();
    }),
    command('clone', (group) => {
      const id = fleet.nextId('assignmentGroup');
      groups.set(id, {
        ...group,
        id,
        name: `${group.name} (1)`,
        appIds: new Set(group.appIds),
        deviceGroupIds: new Set(),
        deviceIds: new Set(),
        profileIds: new Set(group.profileIds),
        customValues: new Map(group.customValues),
      });
      return noContent();
    }),
  ];
}

/** The two calls that add something to a group and remove it. */
function pairs(
  fleet: Fleet,
  name: string,
  records: Records<unknown>,
  idsOf: (group: AssignmentGroup) => Set<number>,
): Route[] {
  const path = `/assignment_groups/:id/${name}/:memberId`;
  const change = (call: Call, act: (ids: Set<number>, id: number) => boolean): ApiResponse =>
    withRecord(call, fleet.assignmentGroups, (group) =>
      withRecord(
        call,
        records,
        () => {
          const changed = act(idsOf(group), Number(call.path['memberId']));
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
    {
      method: 'POST',
      path,
      handle: (call) => change(call, (ids, id) => !ids.has(id) && ids.add(id) === ids),
    },
    { method: 'DELETE', path, handle: (call) => change(call, (ids, id) => ids.delete(id)) },
  ];
}

/** A device that joins a group with `auto_deploy` gets the apps of the group. */
function deployTo(fleet: Fleet, deviceId: number): void {
  const device = fleet.devices.get(deviceId);
  if (device !== undefined) installLater(fleet, deviceId, assignedApps(fleet, device));
}

type Member = NonNullable<ReturnType<Fleet['devices']['get']>>;

function isIn({ deviceIds, deviceGroupIds }: AssignmentGroup, { id, groupId }: Member): boolean {
  return deviceIds.has(id) || deviceGroupIds.has(groupId);
}

function present({ apps }: Fleet, { appIds }: AssignmentGroup, device: Member): number[] {
  const installed = new Set(device.apps.map(({ identifier }) => identifier));
  return [...appIds].filter((id) => installed.has(apps.get(id)?.bundle_identifier ?? `com.example.app${id}`));
}

function missing(fleet: Fleet, group: AssignmentGroup, device: Member): number[] {
  const there = new Set(present(fleet, group, device));
  return [...group.appIds].filter((id) => !there.has(id));
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
    newer: {
      priority: numberParam(call, 'priority') ?? null,
      type,
      group_type: 'static',
      install_type: textParam(call.params, 'install_type') ?? null,
      app_track_location: flagParam(call.params, 'app_track_location') ?? true,
    },
    appIds: new Set(),
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
  const { newer } = group;
  if (newer !== undefined) {
    newer.priority = numberParam(call, 'priority') ?? newer.priority;
    newer.install_type = textParam(call.params, 'install_type') ?? newer.install_type;
    newer.app_track_location = flagParam(call.params, 'app_track_location') ?? newer.app_track_location;
  }
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
    attributes: { name: group.name, auto_deploy: group.auto_deploy, ...group.newer },
    relationships: {
      apps: references('app', group.appIds),
      device_groups: references('device_group', group.deviceGroupIds),
      devices: references('device', group.deviceIds),
      ...(group.newer && { profiles: references('profile', group.profileIds) }),
    },
  };
}
