/** What records of real accounts have and the examples of the reference lack, by the resource in the call. */
const NEWER: readonly [resource: RegExp, fields: readonly string[]][] = [
  [/ \/apps(\/\{APP_ID\})?$/, ['installation_channels', 'platform_support', 'processing_status']],
  [
    / \/assignment_groups/,
    [
      'priority',
      'type',
      'group_type',
      'install_type',
      'app_track_location',
      'relationships.profiles',
      'relationships.media',
      'apps.data[].deployment_type',
      'apps.data[].install_type',
    ],
  ],
  [
    / \/custom_configuration_profiles/,
    ['escape_attributes', 'reinstall_after_os_update', 'device_groups.groups'],
  ],
  [/ \/device_groups/, ['relationships']],
  [
    / \/devices\/\{DEVICE_ID\}\/profiles$/,
    ['escape_attributes', 'reinstall_after_os_update', 'group_count', 'device_count'],
  ],
  [
    / \/devices(\/\{DEVICE_ID\})?$/,
    [
      'enrolled_at',
      'dep_enrolled',
      'dep_assigned',
      'ddm_enabled',
      'user_enrollment',
      'auto_admin_name',
      'supplemental_build_version',
      'supplemental_os_version_extra',
      'lost_mode_enabled',
      'time_zone',
      'service_subscriptions',
      'relationships.groups',
      'relationships.custom_attribute_values',
    ],
  ],
  [/ \/enrollments/, ['user_enrollment', 'welcome_screen', 'authentication', 'relationships.device_group']],
  [/ \/script_jobs/, ['job_name', 'custom_attribute_regex', 'relationships.custom_attribute']],
];

/** Whether a path in the response to a call is one that only newer records have. */
export function isNewer(call: string, path: string): boolean {
  return NEWER.some(
    ([resource, fields]) => resource.test(call) && fields.some((field) => path.endsWith(`.${field}`)),
  );
}
