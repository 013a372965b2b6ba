/** A call that the reference excerpt does not document. */
export interface Addition {
  readonly section: string;
  readonly call: string;
  /** Where the call is documented or used. */
  readonly source: 'API 1.51' | 'API 1.55' | 'undocumented';
}

const added = (section: string, ...calls: readonly string[]): Addition[] =>
  calls.map((call) => ({ section, call, source: 'API 1.51' }));

const undocumented = (section: string, ...calls: readonly string[]): Addition[] =>
  calls.map((call) => ({ section, call, source: 'undocumented' }));

const declaration = '/custom_declarations/{DECLARATION_ID}';
const assignmentGroup = '/assignment_groups/{ASSIGNMENT_GROUP_ID}';

/** The calls of later versions of the API, and undocumented calls of programs in use. */
export const ADDITIONS: readonly Addition[] = [
  ...added('Apps', 'POST /apps/{APP_ID}/munki_pkginfo', 'DELETE /apps/{APP_ID}/munki_pkginfo'),
  ...added(
    'Assignment Groups',
    `POST ${assignmentGroup}/profiles/{PROFILE_ID}`,
    `DELETE ${assignmentGroup}/profiles/{PROFILE_ID}`,
    `POST ${assignmentGroup}/sync_profiles`,
    `POST ${assignmentGroup}/clone`,
  ),
  ...added(
    'Custom Attributes',
    'PUT /devices/{DEVICE_ID}/custom_attribute_values',
    'PUT /custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
  ),
  ...undocumented(
    'Custom Attributes',
    `GET ${assignmentGroup}/custom_attribute_values`,
    `PUT ${assignmentGroup}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}`,
  ),
  ...undocumented(
    'Custom Declarations',
    'GET /custom_declarations',
    `GET ${declaration}`,
    'POST /custom_declarations',
    `PATCH ${declaration}`,
    `GET ${declaration}/download`,
    `DELETE ${declaration}`,
    `POST ${declaration}/devices/{DEVICE_ID}`,
    `DELETE ${declaration}/devices/{DEVICE_ID}`,
  ),
  ...added(
    'Devices',
    ...[
      'POST rotate_firmware_password',
      'POST clear_recovery_lock_password',
      'POST rotate_recovery_lock_password',
      'POST clear_restrictions_password',
      'POST set_admin_password',
      'POST rotate_admin_password',
      'POST bluetooth',
      'DELETE bluetooth',
      'POST set_time_zone',
      'POST unenroll',
    ].map((command) => command.replace(' ', ' /devices/{DEVICE_ID}/')),
  ),
  ...['send_message', 'disable_activation_lock', 'refresh_cellular_plans'].map((command): Addition => ({
    section: 'Devices',
    call: `POST /devices/{DEVICE_ID}/${command}`,
    source: 'API 1.55',
  })),
  ...added(
    'Profiles',
    'GET /profiles',
    'GET /profiles/{PROFILE_ID}',
    'POST /profiles/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}',
    'DELETE /profiles/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}',
    'POST /profiles/{PROFILE_ID}/devices/{DEVICE_ID}',
    'DELETE /profiles/{PROFILE_ID}/devices/{DEVICE_ID}',
  ),
];
