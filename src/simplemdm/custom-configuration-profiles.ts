import { z } from 'zod';
import type { Download } from './api-response.js';
import { profileAssignments } from './profile-assignments.js';
import type { Upload } from './request.js';
import { fetchAll, fetchPage, fetchRecord, linksTo, send } from './resource.js';
import type { ListRequest, Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { flag, number, text } from './field-types.js';

/** A configuration profile that the admin uploaded. */
export const customConfigurationProfile = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    name: text,
    profile_identifier: text,
    user_scope: flag,
    attribute_support: flag,
    escape_attributes: flag,
    reinstall_after_os_update: flag,
    group_count: number,
    device_count: number,
  }),
  relationships: z.looseObject({ device_groups: linksTo, devices: linksTo }).nullish(),
});

/** A configuration profile that the admin uploaded. */
export type CustomConfigurationProfile = z.output<typeof customConfigurationProfile>;

/** What narrows a list of profiles (API 1.51). */
export interface ProfileListOptions {
  readonly search?: string;
}

/** What can be set of a custom configuration profile. */
export interface CustomConfigurationProfileChanges {
  readonly name?: string;
  readonly mobileconfig?: Upload;
  /** False: a device profile in place of a user profile on macOS; true when left out at creation. */
  readonly userScope?: boolean;
  /** Whether variables in the file are filled in; false when left out at creation. */
  readonly attributeSupport?: boolean;
  /** Whether filled-in variables are escaped for XML (API 1.51). */
  readonly escapeAttributes?: boolean;
  /** API 1.51. */
  readonly reinstallAfterOsUpdate?: boolean;
}

/** A custom configuration profile to create. */
export interface NewCustomConfigurationProfile extends CustomConfigurationProfileChanges {
  readonly name: string;
  readonly mobileconfig: Upload;
}

const ROUTE = '/custom_configuration_profiles';

/** API reference, section Custom Configuration Profiles. */
export function createCustomConfigurationProfiles(transport: Transport) {
  const listed = ({ search }: ProfileListOptions = {}): ListRequest => ({ route: ROUTE, query: { search } });
  const below = (profileId: number, rest = '') => ({
    route: `${ROUTE}/{PROFILE_ID}${rest}`,
    params: { PROFILE_ID: profileId },
  });
  return {
    /** List all: `GET /custom_configuration_profiles`. */
    list: (options?: ProfileListOptions): AsyncGenerator<CustomConfigurationProfile> =>
      fetchAll(transport, listed(options), customConfigurationProfile),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions, options?: ProfileListOptions): Promise<Page<CustomConfigurationProfile>> =>
      fetchPage(transport, listed(options), customConfigurationProfile, page),

    /**
     * Create: `POST /custom_configuration_profiles`.
     *
     * @throws SimpleMdmError 422 when the file is no profile.
     */
    create: (given: NewCustomConfigurationProfile): Promise<CustomConfigurationProfile> =>
      fetchRecord(transport, { method: 'POST', route: ROUTE, ...partsOf(given) }, customConfigurationProfile),

    /** Update: `PATCH /custom_configuration_profiles/{PROFILE_ID}`. */
    update: (
      profileId: number,
      changes: CustomConfigurationProfileChanges,
    ): Promise<CustomConfigurationProfile> =>
      fetchRecord(
        transport,
        { method: 'PATCH', ...below(profileId), ...partsOf(changes), idempotent: true },
        customConfigurationProfile,
      ),

    /** Download: `GET /custom_configuration_profiles/{PROFILE_ID}/download`, as it was uploaded. */
    download: (profileId: number): Promise<Download> =>
      transport.download({ method: 'GET', ...below(profileId, '/download') }),

    /** Delete: `DELETE /custom_configuration_profiles/{PROFILE_ID}`. */
    delete: (profileId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...below(profileId) }),

    ...profileAssignments(transport, ROUTE),
  };
}

function partsOf(given: CustomConfigurationProfileChanges) {
  const { name, mobileconfig, userScope, attributeSupport, escapeAttributes, reinstallAfterOsUpdate } = given;
  return {
    body: {
      name,
      user_scope: userScope,
      attribute_support: attributeSupport,
      escape_attributes: escapeAttributes,
      reinstall_after_os_update: reinstallAfterOsUpdate,
    },
    ...(mobileconfig && { files: { mobileconfig } }),
  };
}
