import { z } from 'zod';
import type { ProfileListOptions } from './custom-configuration-profiles.js';
import { profileAssignments } from './profile-assignments.js';
import { fetchRecord, linksTo, listOf } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flag, number, text } from './field-types.js';

/** The schema of a profile of any kind; `type` names the kind. */
export const profile = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    name: text,
    profile_identifier: text,
    user_scope: flag,
    auto_deploy: flag,
    attribute_support: flag,
    reinstall_after_os_update: flag,
    group_count: number,
    device_count: number,
  }),
  relationships: z.looseObject({ device_groups: linksTo, devices: linksTo }).nullish(),
});

/** A profile of any kind. */
export type Profile = z.output<typeof profile>;

const ROUTE = '/profiles';

/** Profiles of all kinds (API 1.51). The reference documents custom configuration profiles only. */
export function createProfiles(transport: Transport) {
  const listRequest = (options: ProfileListOptions = {}): ListRequest => ({
    route: ROUTE,
    query: { search: options.search },
  });
  return {
    /** List all: `GET /profiles`. */
    ...listOf(transport, profile, listRequest),

    /** Retrieve one: `GET /profiles/{PROFILE_ID}`. */
    retrieve: (profileId: number): Promise<Profile> =>
      fetchRecord(
        transport,
        { method: 'GET', route: `${ROUTE}/{PROFILE_ID}`, params: { PROFILE_ID: profileId } },
        profile,
      ),

    ...profileAssignments(transport, ROUTE),
  };
}
