import { z } from 'zod';
import type { ProfileListOptions } from './custom-configuration-profiles.js';
import { profileAssignments, profileRelationships } from './profile-assignments.js';
import { fetchRecord, listOf } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

/** The schema of a profile of any kind; `type` names the kind. */
export const profile = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    profile_identifier: textField,
    user_scope: flagField,
    auto_deploy: flagField,
    attribute_support: flagField,
    escape_attributes: flagField,
    reinstall_after_os_update: flagField,
    group_count: numberField,
    device_count: numberField,
  }),
  relationships: profileRelationships,
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
