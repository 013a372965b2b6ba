import { created, noContent, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { fileParam, flagParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet, Profile } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { profileAssignmentRoutes, profileRecord, searched } from './profiles.js';
import { withRecord } from './retrieve.js';

const list = '/custom_configuration_profiles';

/** The calls of the reference's section Custom Configuration Profiles. */
export function customConfigurationProfileRoutes(fleet: Fleet): Route[] {
  const isCustom = ({ type }: Profile): boolean => type === 'custom_configuration_profile';
  const own = {
    get: (id: number) => {
      const profile = fleet.profiles.get(id);
      return profile !== undefined && isCustom(profile) ? profile : undefined;
    },
  };
  const show = (profile: Profile) => profileRecord(fleet, profile);
  return [
    {
      method: 'GET',
      path: list,
      handle: (call) => page(call, searched(call, fleet.profiles.values()).filter(isCustom), show),
    },
    { method: 'POST', path: list, handle: (call) => createProfile(fleet, call) },
    {
      method: 'PATCH',
      path: `${list}/:id`,
      handle: (call) => withRecord(call, own, (profile) => updateProfile(fleet, call, profile)),
    },
    {
      method: 'GET',
      path: `${list}/:id/download`,
      handle: (call) =>
        withRecord(call, own, ({ name, content }) => ({
          status: 200,
          file: { content, type: 'application/x-apple-aspen-config', name: `${name}.mobileconfig` },
        })),
    },
    {
      method: 'DELETE',
      path: `${list}/:id`,
      handle: (call) =>
        withRecord(call, own, ({ id }) => {
          fleet.profiles.delete(id);
          for (const { profileIds } of fleet.assignmentGroups.values()) profileIds.delete(id);
          writeAdminLog(fleet, 'profile.deleted', { profile_id: id });
          return noContent();
        }),
    },
    ...profileAssignmentRoutes(fleet, list, own),
  ];
}

/** A property list, or a signed one (CMS), which starts with an ASN.1 sequence. */
function isMobileconfig(content: Buffer): boolean {
  return content[0] === 0x30 || content.includes('<plist');
}

function createProfile(fleet: Fleet, call: Call): ApiResponse {
  const name = textParam(call.params, 'name');
  const file = fileParam(call.params, 'mobileconfig');
  if (name === undefined) return unprocessable('name is required');
  if (file === undefined) return unprocessable('mobileconfig is required');
  if (!isMobileconfig(file.content)) return unprocessable('mobileconfig is not a valid profile');
  const id = fleet.nextId('profile');
  const profile: Profile = {
    id,
    type: 'custom_configuration_profile',
    name,
    profile_identifier: `com.unwiredmdm.${id.toString(16).padStart(32, '0')}`,
    user_scope: flagParam(call.params, 'user_scope') ?? true,
    attribute_support: flagParam(call.params, 'attribute_support') ?? false,
    escape_attributes: flagParam(call.params, 'escape_attributes') ?? false,
    reinstall_after_os_update: flagParam(call.params, 'reinstall_after_os_update') ?? false,
    content: file.content,
    deviceGroupIds: new Set(),
    deviceIds: new Set(),
  };
  fleet.profiles.set(id, profile);
  writeAdminLog(fleet, 'profile.created', { profile_id: id });
  return created({ data: profileRecord(fleet, profile) });
}

function updateProfile(fleet: Fleet, call: Call, profile: Profile): ApiResponse {
  const file = fileParam(call.params, 'mobileconfig');
  if (file !== undefined && !isMobileconfig(file.content)) {
    return unprocessable('mobileconfig is not a valid profile');
  }
  const flag = (name: string, before: boolean) => flagParam(call.params, name) ?? before;
  Object.assign(profile, {
    name: textParam(call.params, 'name') ?? profile.name,
    content: file?.content ?? profile.content,
    user_scope: flag('user_scope', profile.user_scope),
    attribute_support: flag('attribute_support', profile.attribute_support),
    escape_attributes: flag('escape_attributes', profile.escape_attributes),
    reinstall_after_os_update: flag('reinstall_after_os_update', profile.reinstall_after_os_update),
  } satisfies Partial<Profile>);
  writeAdminLog(fleet, 'profile.updated', { profile_id: profile.id });
  return ok({ data: profileRecord(fleet, profile) });
}
