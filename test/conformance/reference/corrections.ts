/** A correction of a mistake in the reference. */
export interface Correction {
  /** Section and title of the call. */
  readonly where: string;
  readonly found: RegExp;
  readonly replacement: string;
  readonly reason: string;
}

/** All corrections. A correction that matches nothing fails a test. */
export const CORRECTIONS: readonly Correction[] = [
  {
    where: 'Assignment Groups / List all',
    found: /,\s*\.\.\.\s*\]/,
    replacement: ']',
    reason: 'dots abbreviate a list',
  },
  {
    where: 'Assignment Groups / Unassign device',
    found: /\/device\/87/,
    replacement: '/devices/87',
    reason: 'the curl example has /device/, the call below it /devices/',
  },
  {
    where: 'Custom Configuration Profiles / List all',
    found: /(f1992d")(\s*"user_scope")/,
    replacement: '$1,$2',
    reason: 'a comma is missing after profile_identifier',
  },
  {
    where: 'Custom Configuration Profiles / List all',
    found: /"type": "device group"/,
    replacement: '"type": "device_group"',
    reason: 'the type has an underscore in all other examples',
  },
  {
    where: 'Custom Configuration Profiles / Create',
    found: /custom_configuration_profiles\/$/m,
    replacement: 'custom_configuration_profiles',
    reason: 'a trailing slash',
  },
  {
    where: 'Devices / List all',
    found: /,\s*\.\.\.\s*\]/,
    replacement: ']',
    reason: 'dots abbreviate a list',
  },
  {
    where: 'Devices / Create',
    found: / => /g,
    replacement: ': ',
    reason: 'a Ruby hash in place of JSON',
  },
  {
    where: 'Devices / Create',
    found: /: nil\b/g,
    replacement: ': null',
    reason: 'a Ruby hash in place of JSON',
  },
  {
    where: 'Devices / List installed apps',
    found: /,\s*\.\.\.\s*\]/,
    replacement: ']',
    reason: 'dots abbreviate a list',
  },
  {
    where: 'Device Groups / Assign device',
    found: /202 No Content/,
    replacement: '202 Accepted',
    reason: 'status and reason phrase do not match; the call is asynchronous, which is 202',
  },
  {
    where: 'Enrollments / Delete',
    found: /^GET (\S+)\/enrollments$/m,
    replacement: 'DELETE $1/enrollments/{ENROLLMENT_ID}',
    reason: 'the call of the list under Delete; later versions have DELETE /enrollments/{id}',
  },
  {
    where: 'Enrollments / Delete',
    found: /^curl \S+\/enrollments \\/m,
    replacement: 'curl https://a.simplemdm.com/api/v1/enrollments/5 -X DELETE \\',
    reason: 'the curl example of the list under Delete',
  },
  {
    where: 'Push Certificate / Update',
    found: /push_certificate\/scsr \\/,
    replacement: 'push_certificate -X PUT \\',
    reason: 'the curl example posts to the signed CSR, the call above it is PUT /push_certificate',
  },
  {
    where: 'Script Jobs / List all',
    found: /"completed",(\s*\})/,
    replacement: '"completed"$1',
    reason: 'a comma before a closing brace',
  },
  {
    where: 'Script Jobs / Cancel Job',
    found: /\{SCRIPT_ID\}/,
    replacement: '{SCRIPT_JOB_ID}',
    reason: 'the call cancels a job, and the curl example has the id of a job',
  },
];
