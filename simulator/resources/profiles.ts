import { assignmentResponse, ok } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet, Profile } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
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

/** The profiles whose name contains the search text; all without one (API 1.51). */
export function searched(call: Call, profiles: Iterable<Profile>): Profile[] {
  const search = textParam(call.params, 'search')?.toLowerCase() ?? '';
  return [...profiles].filter(({ name }) => name.toLowerCase().includes(search));
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

/** The API record of a profile (reference: Custom Configuration Profiles, List all), without the fields of newer versions. */
export function profileRecord(fleet: Fleet, profile: Profile) {
  const { id, type, name, profile_identifier, user_scope, attribute_support, deviceGroupIds } = profile;
  return {
    type,
    id,
    attributes: {
      name,
      profile_identifier,
      user_scope,
      attribute_support,
      escape_attributes: profile.escape_attributes,
      reinstall_after_os_update: profile.reinstall_after_os_update,
      group_count: deviceGroupIds.size,
      device_count: deviceCount(fleet, profile),
    },
    relationships: {
      device_groups: { data: [...deviceGroupIds].map((groupId) => ({ type: 'device_group', id: groupId })) },
    },
  };
}

/** The number of devices with this profile, directly or by their group. */
function deviceCount({ devices }: Fleet, { deviceGroupIds, deviceIds }: Profile): number {
  if (deviceGroupIds.size === 0) return deviceIds.size;
  let count = 0;
  for (const { id, groupId } of devices.values()) {
    if (deviceIds.has(id) || deviceGroupIds.has(groupId)) count += 1;
  }
  return count;
}
