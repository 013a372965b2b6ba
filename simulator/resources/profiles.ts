import { assignmentResponse, ok } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { AssignmentGroup, Fleet, Profile } from '../fleet/fleet.js';
import { isMember } from '../fleet/is-member.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { groupLink } from './group-links.js';
import { withRecord } from './retrieve.js';

/** The calls of API 1.51 about profiles of all kinds. */
export function profileRoutes(fleet: Fleet): Route[] {
  const { profiles } = fleet;
  const show = (profile: Profile) => profileRecord(fleet, profile);
  return [
    {
      method: 'GET',
      path: '/profiles',
      handle: (call) => page(call, searched(call, profiles.values()), show),
    },
    {
      method: 'GET',
      path: '/profiles/:id',
      handle: (call) => withRecord(call, profiles, (profile) => ok({ data: show(profile) })),
    },
    ...profileAssignmentRoutes(fleet, '/profiles', profiles),
  ];
}

/** The profiles whose name or type contains the search text; all without one (API 1.51). */
export function searched(call: Call, profiles: Iterable<Profile>): Profile[] {
  const search = textParam(call.params, 'search')?.toLowerCase() ?? '';
  return [...profiles].filter(({ name, type }) =>
    [name.toLowerCase(), type].some((text) => text.includes(search)),
  );
}

/** The four calls that assign a profile and remove it. */
export function profileAssignmentRoutes(
  fleet: Fleet,
  list: string,
  profiles: { get(id: number): Profile | undefined },
): Route[] {
  const kinds = [
    ['device_groups', fleet.deviceGroups, (profile: Profile) => profile.deviceGroupIds],
    ['devices', fleet.devices, (profile: Profile) => profile.deviceIds],
  ] as const;
  return kinds.flatMap(([name, records, idsOf]): Route[] => {
    const path = `${list}/:id/${name}/:targetId`;
    const change = (call: Call, act: (ids: Set<number>, id: number) => boolean) =>
      withRecord(call, profiles, (profile) =>
        withRecord(
          call,
          { get: (id: number) => (records.has(id) ? id : undefined) },
          (id) => {
            const changed = act(idsOf(profile), id);
            if (changed)
              writeAdminLog(fleet, 'profile.assignment_changed', { profile_id: profile.id, [name]: id });
            return assignmentResponse(changed, fleet.conflicts);
          },
          'targetId',
        ),
      );
    return [
      {
        method: 'POST',
        path,
        handle: (call) => change(call, (ids, id) => !ids.has(id) && ids.add(id).has(id)),
      },
      { method: 'DELETE', path, handle: (call) => change(call, (ids, id) => ids.delete(id)) },
    ];
  });
}

/** The API record of a profile (reference: Custom Configuration Profiles, List all; API 1.51: Profiles). */
export function profileRecord(fleet: Fleet, profile: Profile) {
  const { id, type, deviceGroupIds } = profile;
  return {
    type,
    id,
    attributes: profileAttributes(fleet, profile),
    relationships: {
      device_groups: {
        data: [...deviceGroupIds].map((groupId) => ({ type: 'device_group', id: groupId })),
        groups: { data: groupsWith(fleet, profile).map(groupLink) },
      },
    },
  };
}

/** The attributes of a profile. Only uploaded profiles have variables. */
export function profileAttributes(fleet: Fleet, profile: Profile) {
  const { name, profile_identifier, user_scope, attribute_support, escape_attributes } = profile;
  return {
    name,
    reinstall_after_os_update: profile.reinstall_after_os_update,
    profile_identifier,
    user_scope,
    ...(profile.type !== 'wifi' && { attribute_support, escape_attributes }),
    group_count: profile.deviceGroupIds.size + groupsWith(fleet, profile).length,
    device_count: deviceCount(fleet, profile),
  };
}

/** The assignment groups that have a profile. */
function groupsWith({ assignmentGroups }: Fleet, { id }: Profile): AssignmentGroup[] {
  return [...assignmentGroups.values()].filter(({ profileIds }) => profileIds.has(id));
}

/** The number of devices with this profile, directly or by a group. */
function deviceCount(fleet: Fleet, profile: Profile): number {
  const { deviceGroupIds, deviceIds } = profile;
  const groups = groupsWith(fleet, profile);
  if (deviceGroupIds.size === 0 && groups.length === 0) return deviceIds.size;
  let count = 0;
  for (const device of fleet.devices.values()) {
    const has =
      deviceIds.has(device.id) ||
      deviceGroupIds.has(device.groupId) ||
      groups.some((group) => isMember(group, device));
    if (has) count += 1;
  }
  return count;
}
