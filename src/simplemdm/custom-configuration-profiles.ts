import { z } from 'zod';
import type { Download } from './api-response.js';
import { profileAssignments, profileRelationships } from './profile-assignments.js';
import type { Upload } from './request.js';
import { fetchRecord, listOf, send } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

/** The schema of a configuration profile that an admin uploaded. */
export const customConfigurationProfile = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    profile_identifier: textField,
    user_scope: flagField,
    attribute_support: flagField,
    escape_attributes: flagField,
    reinstall_after_os_update: flagField,
    group_count: numberField,
    device_count: numberField,
  }),
  relationships: profileRelationships,
});

/** A configuration profile that an admin uploaded. */
export type CustomConfigurationProfile = z.output<typeof customConfigurationProfile>;

/** Filters for a list of profiles (API 1.51). */
export interface ProfileListOptions {
  readonly search?: string;
}

/** The changes of a custom configuration profile. */
export interface CustomConfigurationProfileChanges {
  readonly name?: string;
  readonly mobileconfig?: Upload;
  /** On macOS: true for a user profile, false for a device profile; true by default at creation. */
  readonly userScope?: boolean;
  /** Whether SimpleMDM replaces variables in the file; false by default at creation. */
  readonly attributeSupport?: boolean;
  /** Whether the values of variables are escaped for XML (API 1.51). */
  readonly escapeAttributes?: boolean;
  /** API 1.51. */
  readonly reinstallAfterOsUpdate?: boolean;
}

/** A new custom configuration profile. */
export interface NewCustomConfigurationProfile extends CustomConfigurationProfileChanges {
  readonly name: string;
  readonly mobileconfig: Upload;
}

const ROUTE = '/custom_configuration_profiles';

/** API reference, section Custom Configuration Profiles. */
export function createCustomConfigurationProfiles(transport: Transport) {
  const listRequest = (options: ProfileListOptions = {}): ListRequest => ({
    route: ROUTE,
    query: { search: options.search },
  });
  const routeTo = (profileId: number, rest = '') => ({
    route: `${ROUTE}/{PROFILE_ID}${rest}`,
    params: { PROFILE_ID: profileId },
  });
  return {
    /** List all: `GET /custom_configuration_profiles`. */
    ...listOf(transport, customConfigurationProfile, listRequest),

    /**
     * Create: `POST /custom_configuration_profiles`.
     *
     * @throws SimpleMdmError 422 when the file is not a profile.
     */
    create: (newProfile: NewCustomConfigurationProfile): Promise<CustomConfigurationProfile> =>
      fetchRecord(
        transport,
        { method: 'POST', route: ROUTE, ...partsOf(newProfile) },
        customConfigurationProfile,
      ),

    /** Update: `PATCH /custom_configuration_profiles/{PROFILE_ID}`. */
    update: (
      profileId: number,
      changes: CustomConfigurationProfileChanges,
    ): Promise<CustomConfigurationProfile> =>
      fetchRecord(
        transport,
        { method: 'PATCH', ...routeTo(profileId), ...partsOf(changes), idempotent: true },
        customConfigurationProfile,
      ),

    /** Download: `GET /custom_configuration_profiles/{PROFILE_ID}/download`, as uploaded. */
    download: (profileId: number): Promise<Download> =>
      transport.download({ method: 'GET', ...routeTo(profileId, '/download') }),

    /** Delete: `DELETE /custom_configuration_profiles/{PROFILE_ID}`. */
    delete: (profileId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(profileId) }),

    ...profileAssignments(transport, ROUTE),
  };
}

function partsOf({
  name,
  mobileconfig,
  userScope,
  attributeSupport,
  escapeAttributes,
  reinstallAfterOsUpdate,
}: CustomConfigurationProfileChanges) {
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
