import { z } from 'zod';
import type { ProfileListOptions } from './custom-configuration-profiles.js';
import { profileAssignments } from './profile-assignments.js';
import { fetchAll, fetchPage, fetchRecord, linksTo } from './resource.js';
import type { ListRequest, Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { flag, number, text } from './field-types.js';

/** A profile of any kind; `type` says which. */
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

/** Profiles of all kinds (API 1.51; the reference documents only those that the admin uploaded). */
export function createProfiles(transport: Transport) {
  const listed = ({ search }: ProfileListOptions = {}): ListRequest => ({ route: ROUTE, query: { search } });
  return {
    /** List all: `GET /profiles`. */
    list: (options?: ProfileListOptions): AsyncGenerator<Profile> =>
      fetchAll(transport, listed(options), profile),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions, options?: ProfileListOptions): Promise<Page<Profile>> =>
      fetchPage(transport, listed(options), profile, page),

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
